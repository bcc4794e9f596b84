/** What a server with default settings does when far more comes than it has room for: it refuses, and stays small. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import zlib from 'node:zlib';
import type { StatsAnswer } from '../../src/protocol/wire.ts';
import { type Answer, send } from '../support/http.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { assertProblem } from './suite/case.ts';

const MIB = 1024 * 1024;
const BODY_BYTES = 16 * MIB;
const FILLER = Buffer.alloc(1_000_000, 'x');
const EVENTS_IN_BODY = 16;
/** More than what comes before the payload of an event. */
const HEAD_BYTES = 500;

const onLinux = { skip: process.platform !== 'linux' && 'the memory of a process is read from /proc' };

async function start(t: TestContext): Promise<ServerProcess> {
  return await startServerProcess(t, { dataDir: tempDir(t) });
}

/** The most memory that a process has had at one time. */
function peakBytes({ pid }: ServerProcess): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

/** A body of exactly 16 MiB, in pieces: events `NUMBER-0` to `NUMBER-15` of a million bytes each. */
function* largeBody(number: number): Generator<Buffer> {
  let left = BODY_BYTES - 1;
  for (let i = 0; i < EVENTS_IN_BODY; i++) {
    const members = `"topic":"flood","event_id":"${number}-${i}","timestamp":"2026-01-31T12:00:00Z","source":"s"`;
    const head = Buffer.from(`${i === 0 ? '[' : ','}{${members},"payload":{"s":"`);
    yield head;
    yield FILLER;
    yield Buffer.from('"}}');
    left -= head.length + FILLER.length + 3;
  }
  yield Buffer.from(`${' '.repeat(left)}]`);
}

/** The event_id of each line. All of them together may be longer than a string can be. */
function idsIn(lines: Buffer): string[] {
  const ids: string[] = [];
  for (let at = 0, end = 0; end >= 0 && at < lines.length; at = end + 1) {
    const head = lines.toString('latin1', at, at + HEAD_BYTES);
    ids.push(/"event_id":"([^"]*)"/.exec(head)?.[1] ?? '');
    end = lines.indexOf('\n', at);
  }
  return ids;
}

/** Bodies that say how long they are, and bodies that do not, by turns. */
async function pushLarge(url: string, number: number): Promise<Answer> {
  const length: Record<string, string> = number % 2 === 0 ? { 'content-length': String(BODY_BYTES) } : {};
  const headers = { 'content-type': 'application/json', ...length };
  return await send(url, '/publish', { method: 'POST', headers, body: largeBody(number), agent: false });
}

test(
  '500 connections that push 16 MiB each: 200 or 503, memory bounded, and stored is what was answered 200',
  onLinux,
  async (t) => {
    const server = await start(t);
    const answers = await Promise.all(
      Array.from({ length: 500 }, async (_, n) => await pushLarge(server.url, n)),
    );
    const taken = answers.flatMap((answer, number) => (answer.status === 200 ? [number] : []));
    for (const answer of answers) if (answer.status !== 200) assertProblem(answer, 503, 'overloaded');
    assert.ok(taken.length >= 1 && taken.length < 500, `${taken.length} were taken`);
    assert.ok(peakBytes(server) < 1024 * MIB, `the server took ${peakBytes(server) / MIB} MiB`);

    const ids = taken.flatMap((number) => Array.from({ length: EVENTS_IN_BODY }, (_, i) => `${number}-${i}`));
    const lines = await send(server.url, '/events', { headers: { accept: 'application/x-ndjson' } });
    const stored = idsIn(lines.body);
    assert.deepEqual(stored.toSorted(), ids.toSorted());
    const stats = (await send(server.url, '/stats')).json<StatsAnswer>();
    assert.deepEqual([stats.received, stats.unique_processed], [ids.length, ids.length]);
  },
);

test('bodies of a few kilobytes that expand to 256 MiB are refused in bounded memory', onLinux, async (t) => {
  const server = await start(t);
  const before = peakBytes(server);
  const expanded = Buffer.alloc(256 * MIB, ' ');
  const quick = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } };
  const bombs = {
    zstd: zlib.zstdCompressSync(expanded),
    br: zlib.brotliCompressSync(expanded, quick),
    gzip: zlib.gzipSync(expanded, { level: 1 }),
  };
  const answers = await Promise.all(
    Object.entries(bombs).flatMap(([encoding, body]) =>
      Array.from({ length: 20 }, async () => {
        const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
        return await send(server.url, '/publish', { method: 'POST', headers, body });
      }),
    ),
  );
  for (const answer of answers) assertProblem(answer, 413, 'body_too_large');
  // Four are expanded at a time, up to 16 MiB each; all of them together would be 15 GiB.
  assert.ok(peakBytes(server) - before < 512 * MIB, `the server took ${peakBytes(server) / MIB} MiB`);
});
