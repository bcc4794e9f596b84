/** The client follows a real server: over restarts, broken networks and as a command. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { Sekali } from '../../src/client/index.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { ON_TERMINAL, runCli, startCli } from '../support/process.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { TcpProxy } from '../support/services/tcp-proxy.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const HEARTBEAT_MS = 200;
const env = { SEKALI_STREAM_HEARTBEAT_MS: String(HEARTBEAT_MS) };
const backoff = { firstMs: 20, maxMs: 200 };

interface Followed {
  readonly seen: { event_id: string; position: number }[];
  /** Why connections were given up. */
  readonly troubles: string[];
}

/** Follows from the first event until the test ends, and keeps what came. */
function follow(t: TestContext, url: string, pattern: string): Followed {
  const stop = new AbortController();
  const followed: Followed = { seen: [], troubles: [] };
  const sekali = new Sekali({ url, backoff, onRetry: ({ message }) => void followed.troubles.push(message) });
  const options = { after: 0, signal: stop.signal, heartbeatMs: HEARTBEAT_MS };
  const running = (async () => {
    for await (const event of sekali.tail(pattern, options)) followed.seen.push(event);
  })();
  t.after(async () => {
    stop.abort();
    await running;
  });
  return followed;
}

test('a tail survives kill -9 and a restart: no gap, no repeat, in order', async (t) => {
  const dataDir = tempDir(t);
  let server = await startServerProcess(t, { dataDir, env });
  const port = Number(new URL(server.url).port);
  const { seen } = follow(t, server.url, 'orders');
  for (let round = 0; round < 3; round++) {
    await server.client().publish(makeEvents(200, `round-${round}-`));
    await server.client().publish(makeEvents(50, `other-${round}-`, { topic: 'other' }));
    await until('some have come', async () => seen.length > round * 200);
    await server.stop('SIGKILL');
    server = await startServerProcess(t, { dataDir, port, env });
  }
  await until('all have come', async () => seen.length >= 600);
  assert.equal(new Set(seen.map(({ event_id }) => event_id)).size, 600);
  const positions = seen.map(({ position }) => position);
  assert.deepEqual(
    positions,
    [...positions].sort((a, b) => a - b),
  );
});

test('a tail notices a network that is silent, and goes on when there is one again', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t), env });
  const proxy = await TcpProxy.to(Number(new URL(server.url).port));
  t.after(() => proxy.cut());
  const { seen, troubles } = follow(t, proxy.url(server.url), 'orders.>');
  await server.client().publish(makeEvents(10, 'a-', { topic: 'orders.eu' }));
  await until('the first have come', async () => seen.length === 10);
  proxy.freeze();
  await server.client().publish(makeEvents(10, 'b-', { topic: 'orders.us' }));
  await until('it has given the connection up', async () => /nothing came for 600 ms/.test(troubles.join()));
  await proxy.cut();
  await proxy.heal();
  await until('the others have come', async () => seen.length >= 20);
  assert.equal(new Set(seen.map(({ event_id }) => event_id)).size, seen.length);
});

test('payloads on a pipe are as they were sent, and Ctrl-C ends it well', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  const payload = '{"n": 12345678901234567890, "f": 1.0}';
  await server.client().publish(JSON.stringify(makeEvent()).replace('{"total":129.95}', payload));
  const command = startCli(['tail', 'orders', '--after', '0'], { env: { SEKALI_URL: server.url } });
  const [line] = (await once(createInterface({ input: command.stdout! }), 'line')) as [string];
  assert.ok(line.includes(`"payload":${payload}`), line);
  assert.equal((JSON.parse(line) as { position: number }).position, 1);
  command.kill('SIGINT');
  assert.deepEqual(await once(command, 'exit'), [0, null]);
});

test('on a terminal it prints lines, begins at a time, and tells of an outage once', async (t) => {
  const dataDir = tempDir(t);
  const server = await startServerProcess(t, { dataDir });
  await server
    .client()
    .publish([
      makeEvent({ event_id: 'old', timestamp: '2026-01-01T00:00:00Z' }),
      makeEvent({ event_id: 'new', payload: { text: '\u001b[2J' } }),
    ]);
  const command = startCli(['tail', '--since', '2026-01-15T00:00:00Z'], {
    env: { SEKALI_URL: server.url, ...ON_TERMINAL },
  });
  t.after(() => command.kill('SIGKILL'));
  let stderr = '';
  command.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const lines: string[] = [];
  createInterface({ input: command.stdout! }).on('line', (line) =>
    lines.push(stripVTControlCharacters(line)),
  );
  await until('a line', async () => lines.length > 0);
  assert.match(lines[0] ?? '', /^2026-01-31T12:00:00.000000Z {2}orders {2}shop {2}new {2}\{"text":/);
  await server.stop();
  await until('it tells', async () => /sekali: .*; trying again\n/.test(stderr));
  await restart(t, server, dataDir);
  await until('it goes on', async () => lines.length > 1);
  assert.match(lines[1] ?? '', /later/);
  assert.equal(stderr.split('\n').length, 2, stderr);
  command.kill('SIGINT');
  assert.deepEqual(await once(command, 'exit'), [0, null]);
});

test('with a wildcard too, it begins with the first event of that time; those behind it come whatever theirs is', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  const old = { topic: 'orders.eu', timestamp: '2026-01-01T00:00:00Z' };
  await server
    .client()
    .publish([
      makeEvent({ topic: 'other', event_id: 'of another topic' }),
      makeEvent({ ...old, event_id: 'before it' }),
      makeEvent({ topic: 'orders.us', event_id: 'the first' }),
      makeEvent({ ...old, event_id: 'behind it' }),
    ]);
  const command = startCli(['tail', 'orders.*', '--since', '2026-01-15T00:00:00Z'], {
    env: { SEKALI_URL: server.url },
  });
  t.after(() => command.kill('SIGKILL'));
  const ids: unknown[] = [];
  createInterface({ input: command.stdout! }).on('line', (line) =>
    ids.push((JSON.parse(line) as { event_id: string }).event_id),
  );
  await until('both', async () => ids.length > 1);
  assert.deepEqual(ids, ['the first', 'behind it']);
});

test('who asks in vain is told at once', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  const at = { env: { SEKALI_URL: server.url } };
  const nobody = await runCli(['tail'], { env: { SEKALI_URL: 'http://127.0.0.1:1' } });
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /no answer from http:\/\/127\.0\.0\.1:1/);
  const pattern = await runCli(['tail', 'a.>.b'], at);
  assert.equal(pattern.code, 1);
  assert.match(pattern.stderr, /> must be the last word/);
  assert.equal((await runCli(['tail', '--after', '1', '--since', '2026-01-01T00:00:00Z'], at)).code, 2);
  assert.equal((await runCli(['tail', 'one', 'two'], at)).code, 2);
});

async function restart(t: TestContext, { url }: ServerProcess, dataDir: string): Promise<void> {
  const server = await startServerProcess(t, { dataDir, port: Number(new URL(url).port) });
  await server.client().publish([makeEvent({ event_id: 'later' })]);
}
