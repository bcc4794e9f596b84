/** The bounds of a server, each with its own small limits: what is over them is refused, and leaves nothing behind. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import zlib from 'node:zlib';
import type { HealthAnswer, PublishAnswer, QueueAnswer, StatsAnswer } from '../../src/protocol/wire.ts';
import { type Answer, RawConnection, requestText, type SendOptions, send } from '../support/http.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { assertProblem } from './suite/case.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** @returns the address of a server with these flags */
async function start(t: TestContext, ...args: string[]): Promise<string> {
  return (await startServerProcess(t, { dataDir: tempDir(t), args })).url;
}

async function publish(url: string, body: NonNullable<SendOptions['body']>, query = ''): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return await send(url, `/publish${query}`, { method: 'POST', headers, body });
}

async function queueOf(url: string): Promise<QueueAnswer> {
  return (await send(url, '/queue/stats')).json();
}

async function statsOf(url: string): Promise<StatsAnswer> {
  return (await send(url, '/stats')).json();
}

/** Waits until requests have been let in that say they are this long together. */
async function untilHeld(url: string, bytes: number): Promise<void> {
  await until(`${bytes} bytes are held`, async () => (await queueOf(url)).queue_bytes === bytes);
}

/** A publish that says how long its body is, and does not send it. */
async function openSlow(url: string, bytes: number): Promise<RawConnection> {
  const connection = await RawConnection.open(url);
  const headers = { 'content-type': 'application/json', 'content-length': String(bytes) };
  connection.write(requestText('POST /publish', headers));
  return connection;
}

/** The JSON text of an event that has exactly this many bytes. */
function sized(bytes: number): string {
  const empty = JSON.stringify(makeEvent({ payload: { s: '' } }));
  return JSON.stringify(makeEvent({ payload: { s: 'x'.repeat(bytes - empty.length) } }));
}

test('the limits of body, event, depth and batch are what the operator says', async (t) => {
  const url = await start(
    t,
    '--body-bytes-max',
    '4KiB',
    '--event-bytes-max',
    '256',
    '--depth-max',
    '3',
    '--events-max',
    '2',
  );
  const event = makeEvent();
  assert.equal((await publish(url, sized(256))).status, 200);
  assertProblem(await publish(url, sized(257)), 413, 'event_too_large');
  assert.equal(
    (await publish(url, JSON.stringify({ ...event, event_id: 'deep', payload: { a: [] } }))).status,
    200,
  );
  const tooDeep = await publish(url, JSON.stringify({ ...event, payload: { a: [[]] } }));
  assert.match(assertProblem(tooDeep, 422, 'events_invalid').detail, /must not nest deeper than 3 levels/);
  assert.equal((await publish(url, JSON.stringify([event, event]))).status, 200);
  assert.equal(
    assertProblem(await publish(url, JSON.stringify([event, event, event])), 413, 'batch_too_long')['limit'],
    2,
  );
  assert.equal((await publish(url, JSON.stringify(event).padEnd(4 * KIB))).status, 200);
  const tooLarge = await publish(url, JSON.stringify(event).padEnd(4 * KIB + 1));
  assert.equal(assertProblem(tooLarge, 413, 'body_too_large')['limit'], 4 * KIB);
});

test('without room for a body the answer is 503 with Retry-After, nothing is stored, and room comes back', async (t) => {
  const url = await start(
    t,
    '--body-bytes-max',
    '512KiB',
    '--event-bytes-max',
    '512KiB',
    '--queue-bytes-max',
    '1MiB',
  );
  const slow = [await openSlow(url, 512 * KIB), await openSlow(url, 512 * KIB)];
  await untilHeld(url, MIB);

  const body = JSON.stringify(makeEvent({ event_id: 'refused' }));
  for (const sent of [body, [Buffer.from(body)]]) {
    assert.match(assertProblem(await publish(url, sent), 503, 'overloaded').detail, /send them again/);
  }
  assert.equal((await statsOf(url)).received, 0);

  // Who watches sees it, and sends no more here; who asks whether it lives is told that it does.
  const ready = await send(url, '/readyz?verbose');
  assert.deepEqual([ready.status, ready.headers['retry-after']], [503, '1']);
  assert.equal(ready.text, '[+] server: ok\n[+] database: ok\n[-] queue: full\nnot ready\n');
  const health = await send(url, '/health');
  assert.equal(health.status, 503);
  const { status, database, queue, failing } = health.json<HealthAnswer>();
  assert.deepEqual(
    { status, database, queue, failing },
    {
      status: 'unhealthy',
      database: true,
      queue: false,
      failing: [{ part: 'queue', reason: 'full' }],
    },
  );
  assert.equal((await send(url, '/livez')).status, 200);

  slow[0]!.write(JSON.stringify(makeEvent({ event_id: 'slow' })).padEnd(512 * KIB));
  assert.equal((await slow[0]!.answer()).status, 200);
  assert.equal((await publish(url, body)).status, 200);
  slow[1]!.cut();
  await untilHeld(url, 0);
  assert.equal((await statsOf(url)).received, 2);
  assert.equal((await send(url, '/readyz')).status, 200);
});

test('a body without a length that finds no more room on its way is refused, and gives back what it had', async (t) => {
  const url = await start(
    t,
    '--body-bytes-max',
    '512KiB',
    '--event-bytes-max',
    '512KiB',
    '--queue-bytes-max',
    '1MiB',
  );
  const slow = [await openSlow(url, 512 * KIB), await openSlow(url, 256 * KIB)];
  await untilHeld(url, 768 * KIB);
  const headers = { 'content-type': 'application/json' };
  const large = Buffer.from(JSON.stringify(makeEvent()).padEnd(500 * KIB));
  assertProblem(await publish(url, [large.subarray(0, 1000), large.subarray(1000)]), 503, 'overloaded');
  const compressed = await send(url, '/publish', {
    method: 'POST',
    headers: { ...headers, 'content-encoding': 'gzip' },
    body: zlib.gzipSync(large),
  });
  assertProblem(compressed, 503, 'overloaded');
  assert.equal((await queueOf(url)).queue_bytes, 768 * KIB);
  assert.equal((await statsOf(url)).received, 0);
  for (const connection of slow) connection.cut();
  await untilHeld(url, 0);
  assert.equal((await publish(url, [large])).status, 200);
});

test('a request that breaks off gives its room back and stores nothing', async (t) => {
  const url = await start(t);
  const text = JSON.stringify(makeEvents(2));
  for (const end of ['cut', 'half-closed'] as const) {
    const connections = await Promise.all(Array.from({ length: 20 }, async () => await openSlow(url, MIB)));
    for (const connection of connections) connection.write(text);
    await untilHeld(url, 20 * MIB);
    for (const connection of connections) {
      if (end === 'cut') connection.cut();
      else connection.socket.end();
    }
    await untilHeld(url, 0);
  }
  assert.equal((await statsOf(url)).received, 0);
});

test('more publish requests than allowed at one time are refused, whatever their size', async (t) => {
  const url = await start(t, '--queue-requests-max', '2');
  const slow = [await openSlow(url, 1000), await openSlow(url, 1000)];
  await untilHeld(url, 2000);
  assertProblem(await publish(url, JSON.stringify(makeEvent())), 503, 'overloaded');
  slow[0]!.cut();
  await untilHeld(url, 1000);
  assert.equal((await publish(url, JSON.stringify(makeEvent()))).status, 200);
  slow[1]!.cut();
});

test('who waits to be asked for the body is told before it is sent that there is no room', async (t) => {
  const url = await start(t, '--queue-requests-max', '1');
  const slow = await openSlow(url, 1000);
  await untilHeld(url, 1000);
  const polite = await RawConnection.open(url);
  polite.write(requestText('POST /publish', { 'content-length': '5', expect: '100-continue' }));
  assertProblem(await polite.answer(), 503, 'overloaded');
  slow.cut();
  polite.cut();
});

test('connections beyond the bound are closed at once', async (t) => {
  const url = await start(t, '--connections-max', '2');
  const first = await RawConnection.open(url);
  const second = await RawConnection.open(url);
  for (const connection of [first, second]) {
    connection.write(requestText('GET /livez'));
    assert.equal((await connection.answer()).status, 200);
  }
  const third = await RawConnection.open(url);
  assert.equal(await third.rest(), '');
  first.cut();
  await until('a connection is free', async () => {
    const next = await RawConnection.open(url);
    next.write(requestText('GET /livez'));
    return await next.answer().then(
      () => true,
      () => false,
    );
  });
  second.cut();
});

test('answers that nobody reads hold their room: a client that only sends is stopped', async (t) => {
  const url = await start(t);
  const body = JSON.stringify(makeEvents(10_000));
  await publish(url, body);
  const reluctant = await RawConnection.open(url);
  reluctant.socket.pause();
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
  const count = 12; // 2 MB each: more than the kernel keeps for a connection
  for (let i = 0; i < count; i++) reluctant.write(requestText('POST /publish?results=all', headers, body));
  await until('all are committed', async () => (await statsOf(url)).received === (count + 1) * 10_000);
  await until('all are answered', async () => (await queueOf(url)).queue_size === 0);
  assert.ok((await queueOf(url)).queue_bytes > 2 * MIB);
  reluctant.socket.resume();
  for (let i = 0; i < count; i++) {
    assert.equal((await reluctant.answer()).json<PublishAnswer>().duplicates, 10_000);
  }
  await untilHeld(url, 0);
  reluctant.cut();
});

test('readers that do not take their answers are bounded, and others are served again once they go', async (t) => {
  const url = await start(t, '--answer-bytes-max', '70MiB');
  for (let i = 0; i < 9; i++) {
    const text = 'x'.repeat(MIB - KIB);
    assert.equal(
      (await publish(url, JSON.stringify(makeEvent({ event_id: String(i), payload: { text } })))).status,
      200,
    );
  }
  const connections = await Promise.all(Array.from({ length: 4 }, () => RawConnection.open(url)));
  t.after(() => connections.forEach((connection) => connection.cut()));
  for (const connection of connections) connection.socket.pause();
  // Again and again: the buffers of a connection within one machine hold the first few answers.
  const refused = await until('there is no room for a further answer', async () => {
    for (const connection of connections) connection.write(requestText('GET /events?limit=1000', {}));
    const answer = await send(url, '/events?limit=1000');
    return answer.status === 503 && answer;
  });
  assertProblem(refused, 503, 'overloaded');
  assert.equal(refused.headers['retry-after'], '1');

  for (const connection of connections) connection.cut();
  await until('there is room again', async () => (await send(url, '/events?limit=1000')).status === 200);
});
