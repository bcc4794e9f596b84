/** Events go, keys stay; keys go where a window is set: over HTTP, on the clock of the server. Faults 5 and 17. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublishAnswer, QueueAnswer, TopicsAnswer, WireEvent } from '../../src/protocol/wire.ts';
import { send } from '../support/http.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { runCli } from '../support/process.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

async function read<T>(server: ServerProcess, path: string): Promise<T> {
  const answer = await send(server.url, path);
  assert.equal(answer.status, 200, answer.text);
  return answer.json<T>();
}

async function publish(server: ServerProcess, ...events: WireEvent[]) {
  const body = JSON.stringify(events);
  const answer = await send(server.url, '/publish?results=all', { method: 'POST', body });
  assert.equal(answer.status, 200, answer.text);
  return answer.json<PublishAnswer>().results ?? [];
}

async function idsOf(server: ServerProcess, topic: string): Promise<string[]> {
  const { events } = await server.client().events({ topic });
  return events.map(({ event_id }) => event_id);
}

test('events go by age and by count; their keys, their addresses and their counts stay, over restarts and kill -9', async (t) => {
  const dataDir = tempDir(t);
  const args = ['--retention', 'debug.*:count=10;*:age=1s;kept:forever'];
  let server = await startServerProcess(t, { dataDir, args });
  const debug = makeEvents(25, 'd-', { topic: 'debug.web' });
  const [first] = await publish(server, ...debug);
  assert.deepEqual([first?.verdict, first?.position], ['stored', 1]);
  await publish(server, makeEvent({ topic: 'orders' }), makeEvent({ topic: 'kept' }));

  for (const signal of ['SIGTERM', 'SIGKILL', undefined] as const) {
    await until('all but the newest ten go', async () => (await idsOf(server, 'debug.web')).length === 10);
    assert.deepEqual(
      await idsOf(server, 'debug.web'),
      debug.slice(-10).map(({ event_id }) => event_id),
    );
    await until('the order gets too old', async () => (await idsOf(server, 'orders')).length === 0);
    assert.deepEqual(await idsOf(server, 'kept'), ['order-1']);

    const receipts = await publish(server, debug[0]!, { ...debug[0]!, payload: { other: true } }, debug[24]!);
    const ofFirst = { topic: 'debug.web', event_id: 'd-0', position: 1, first_seen_at: null, retired: true };
    assert.deepEqual(receipts.slice(0, 2), [
      { index: 0, verdict: 'duplicate', ...ofFirst },
      { index: 1, verdict: 'conflict', ...ofFirst },
    ]);
    assert.equal(receipts[2]?.verdict, 'duplicate');
    assert.equal(receipts[2]?.retired, undefined);

    const gone = await send(server.url, '/events/debug.web/d-0');
    assert.equal(gone.status, 410);
    const problem = gone.json();
    assert.deepEqual(
      [problem['code'], problem['position'], problem['retryable']],
      ['event_retired', 1, false],
    );
    assert.equal((await send(server.url, '/events/debug.web/d-25')).status, 404);

    const { topics } = await read<TopicsAnswer>(server, '/topics');
    assert.deepEqual(
      topics.map(({ topic, events, retired }) => [topic, events, retired]),
      [
        ['debug.web', 25, 15],
        ['kept', 1, 0],
        ['orders', 1, 1],
      ],
    );
    const { key_count, key_index_bytes } = await read<QueueAnswer>(server, '/queue/stats');
    assert.equal(key_count, 27);
    assert.ok(key_index_bytes > 0);
    if (signal === undefined) break;
    await server.stop(signal);
    server = await startServerProcess(t, { dataDir, args });
  }
  const { code, stderr } = await runCli(['get', 'debug.web', 'd-0', '--url', server.url]);
  assert.equal(code, 3);
  assert.equal(
    stderr,
    'sekali: event "d-0" was stored in "debug.web" at position 1, and retention has removed it\n',
  );
});

test('after its dedup window an event is stored anew, at a new position: the same before and after a restart', async (t) => {
  const dataDir = tempDir(t);
  const args = ['--dedup-window', 'orders:1s;*:52w'];
  let server = await startServerProcess(t, { dataDir, args });
  assert.ok(
    server.log.some((line) => line.includes('dedup-window: * lets go of keys')),
    server.log.join('\n'),
  );
  const [order, other] = [makeEvent(), makeEvent({ topic: 'other' })];
  const [stored] = await publish(server, order, other);
  let last = stored!.position!;

  for (const restart of [false, true]) {
    if (restart) {
      await server.stop();
      server = await startServerProcess(t, { dataDir, args });
    }
    // Each try has the event twice, for by the next request the window may be over again.
    const [anew, again, known] = await until('the window is over', async () => {
      const receipts = await publish(server, order, order, other);
      return receipts[0]?.verdict === 'stored' && receipts;
    });
    assert.ok(anew!.position! > last);
    last = anew!.position!;
    assert.deepEqual([again?.verdict, again?.position], ['duplicate', last]);
    assert.deepEqual([known?.verdict, known?.position], ['duplicate', 2]);
    assert.equal((await server.client().event('orders', 'order-1')).position, last);
  }
  assert.deepEqual(await idsOf(server, 'orders'), ['order-1', 'order-1', 'order-1']);
});
