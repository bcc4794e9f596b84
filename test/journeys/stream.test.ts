/** Fault 22: streams that are cut, slow readers, servers that stop or die: no gap, no repeat, bounded memory. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { EventStream } from '../support/event-stream.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { TcpProxy } from '../support/services/tcp-proxy.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const publishAll = async (server: ServerProcess, count: number, prefix = '') => {
  for (let first = 0; first < count; first += 50) {
    const events = makeEvents(Math.min(50, count - first), `${prefix}${first}-`);
    await server.client().publish(events, { ack: 'stored' });
  }
};

/** Reads `path` and resolves with what had come when the connection ended. */
async function readRaw(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

function idsOf(text: string): number[] {
  return [...text.matchAll(/^id: (\d+)\ndata: \{"position"/gm)].map(([, id]) => Number(id));
}

test('a client that does not read is told where to go on, and costs little memory meanwhile', async (t) => {
  const env = { SEKALI_STREAM_STALL_MS: '1500' };
  const server = await startServerProcess(t, { dataDir: tempDir(t), env });
  const payload = { text: 'x'.repeat(200_000) };
  for (let i = 0; i < 400; i += 40) {
    const events = Array.from({ length: 40 }, (_, n) => makeEvent({ event_id: `e${i + n}`, payload }));
    await server.client().publish(events, { ack: 'stored' });
  }
  const before = residentKiB(server);
  const sockets = Array.from({ length: 5 }, () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').pause();
    socket.write('GET /stream?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return socket;
  });
  const isTold = () => server.log.filter((line) => line.includes('its client is too slow')).length === 5;
  await until('they are too slow', async () => isTold());
  // 80 MB wait for each of them.
  const grownMiB = (residentKiB(server) - before) / 1024;
  assert.ok(grownMiB < 200, `${grownMiB} MiB`);
  for (const text of await Promise.all(sockets.map(readRaw))) {
    const got = idsOf(text);
    assert.deepEqual(
      got,
      Array.from({ length: got.length }, (_, i) => i + 1),
    );
    assert.ok(got.length < 400);
    const notice = /event: lagged\nid: (\d+)\ndata: \{"after":(\d+)\}\n\n/.exec(text);
    assert.deepEqual(notice?.slice(1), [String(got.length), String(got.length)]);
  }
});

test('whoever comes back to a server that was cut off, stopped or killed misses nothing and sees nothing twice', async (t) => {
  const dataDir = tempDir(t);
  let server = await startServerProcess(t, { dataDir });
  const port = Number(new URL(server.url).port);
  await using proxy = await TcpProxy.to(port);
  const url = proxy.url(server.url).replace(/\/$/, '');
  const seen: number[] = [];
  const last = () => seen.at(-1) ?? 0;
  async function readSome(goal: number): Promise<void> {
    await using stream = await EventStream.open(`${url}/stream?after=0`, { 'last-event-id': String(last()) });
    while (seen.length < goal) {
      const frame = await stream.next();
      if (frame === undefined) return;
      if (frame.data !== undefined) seen.push((JSON.parse(frame.data) as { position: number }).position);
    }
  }
  const rounds = 9;
  for (let round = 0; round < rounds; round++) {
    const reading = readSome(100 * (round + 1)).catch(() => 'broken');
    await publishAll(server, 50, `${round}a`);
    if (round % 3 === 0) {
      await proxy.cut();
      await proxy.heal();
    } else {
      await server.stop(round % 3 === 1 ? 'SIGTERM' : 'SIGKILL');
      server = await startServerProcess(t, { dataDir, port });
    }
    await reading;
    await publishAll(server, 50, `${round}b`);
    await readSome(100 * (round + 1));
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 100 * rounds }, (_, i) => i + 1),
  );
});

test('a client that is slow for longer than a heartbeat is never sent back', async (t) => {
  const env = { SEKALI_STREAM_HEARTBEAT_MS: '100' };
  const server = await startServerProcess(t, { dataDir: tempDir(t), env });
  const payload = { text: 'x'.repeat(20_000) };
  for (let i = 0; i < 2000; i += 100) {
    const events = Array.from({ length: 100 }, (_, n) => makeEvent({ event_id: `e${i + n}`, payload }));
    await server.client().publish(events, { ack: 'stored' });
  }
  const slow = connect(Number(new URL(server.url).port), '127.0.0.1').pause();
  slow.write('GET /stream?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  // As many heartbeats as another stream gets are due to this one, whose connection is full.
  await using idle = await EventStream.open(`${server.url}/stream?topic=none`);
  for (let beats = 0; beats < 10; beats++) await idle.next();
  const chunks: string[] = [];
  slow.setEncoding('latin1').on('data', (chunk: string) => chunks.push(chunk));
  slow.resume();
  await until('it has all of them', async () => chunks.slice(-20).join('').includes('id: 2000\n'));
  slow.destroy();
  const places = [...chunks.join('').matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(places).size, 2001); // 0, where it began, and the events
});

test('a stream on which nothing comes is kept alive, and moves its place along', async (t) => {
  const env = { SEKALI_STREAM_HEARTBEAT_MS: '100' };
  const server = await startServerProcess(t, { dataDir: tempDir(t), env });
  await using stream = await EventStream.open(`${server.url}/stream?topic=none`);
  assert.equal((await stream.next())?.id, '0');
  await publishAll(server, 20);
  await until('the place has moved', async () => (await stream.next())?.id === '20');
});

test('a server that is told to stop ends its streams and those who wait, and is gone at once', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  const stream = await EventStream.open(`${server.url}/stream`);
  await stream.next();
  const waiting = fetch(`${server.url}/events?wait=60`);
  await until('it waits', async () => (await fetch(`${server.url}/livez`)).ok);
  const stopped = server.stop();
  while ((await stream.next()) !== undefined);
  await waiting.catch(() => undefined);
  assert.equal(await stopped, 0);
});

function residentKiB({ pid }: ServerProcess): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
