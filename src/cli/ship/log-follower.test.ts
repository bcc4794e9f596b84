import assert from 'node:assert/strict';
import { appendFileSync, openSync, renameSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LyingServer } from '../../../test/support/lying-server.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { until } from '../../../test/support/until.ts';
import { Sekali, type WireEvent } from '../../client/index.ts';
import { systemClock } from '../../clock.ts';
import { LogFollower } from './log-follower.ts';
import { Sender } from './sender.ts';
import { ShipReport } from './ship-report.ts';

/** Looks at a rotated file that are enough in any case. */
const ENOUGH = 30;

/** A follower that looks when it is told to. */
async function prepare(t: TestContext) {
  const path = join(tempDir(t), 'app.log');
  const server = await LyingServer.start(t, 'none');
  const client = new Sekali({ url: server.url });
  const report = new ShipReport(() => {});
  const { signal } = new AbortController();
  const sender = new Sender({ client, topic: 'logs', report, tellsConflicts: false, giveUp: signal });
  const follower = new LogFollower(
    { sender, report, limits: { lines: 100, bytes: 1_000_000 }, clock: systemClock, stop: signal },
    {
      path,
      events: {
        topic: 'logs',
        source: 'app',
        idField: undefined,
        timeField: undefined,
        sourceField: undefined,
      },
      reading: { identity: '', lineBytesMax: 1000 },
      checkpoint: undefined,
    },
  );
  t.after(() => follower.close());
  const look = async (times = 1): Promise<void> => {
    for (let i = 0; i < times; i++) await follower.runOnce();
  };
  /** What was shipped so far. */
  const lines = (): unknown[] =>
    server.bodies.flatMap((body) => JSON.parse(body) as WireEvent[]).map(({ payload }) => payload['line']);
  return { path, look, lines };
}

/** Waits until the clock of the file system, which is a coarse one, tells another time than when a file was made. */
async function outlast(path: string): Promise<void> {
  const { birthtimeNs } = statSync(path, { bigint: true });
  await until('a later file', async () => {
    writeFileSync(`${path}.probe`, '');
    return statSync(`${path}.probe`, { bigint: true }).mtimeNs > birthtimeNs;
  });
}

test('whoever goes on in a rotated file for a while is heard, and then the new file', async (t) => {
  const { path, look, lines } = await prepare(t);
  writeFileSync(path, 'one\n');
  await look();
  const slow = openSync(path, 'a');
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'new\n');
  for (const line of ['two', 'three', 'four']) {
    writeSync(slow, `${line}\n`);
    await look(2);
  }
  assert.deepEqual(lines(), ['one', 'two', 'three', 'four']);
  await look(ENOUGH);
  assert.deepEqual(lines().slice(4), ['new']);
});

test('whoever goes on in a rotated file for ever is left', async (t) => {
  const { path, look, lines } = await prepare(t);
  writeFileSync(path, 'one\n');
  await look();
  const stubborn = openSync(path, 'a');
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'new\n');
  for (let i = 0; i < ENOUGH; i++) {
    writeSync(stubborn, 'again\n');
    await look();
  }
  assert.ok(lines().includes('new'));
});

test('a log that was rotated twice is read in the order of its files, whatever they are called', async (t) => {
  const { path, look, lines } = await prepare(t);
  writeFileSync(path, 'one\n');
  await look();
  await outlast(path);
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'two\n');
  renameSync(`${path}.1`, `${path}-20260131`);
  renameSync(path, `${path}.2026-01-31_12`);
  await look(ENOUGH);
  assert.deepEqual(lines(), ['one']); // nobody knows yet what comes after
  writeFileSync(path, 'three\n');
  await look(ENOUGH);
  await look(ENOUGH);
  assert.deepEqual(lines(), ['one', 'two', 'three']);
});

test('what only looks like the name of the log is not shipped', async (t) => {
  const { path, look, lines } = await prepare(t);
  writeFileSync(path, 'one\n');
  await look();
  renameSync(path, `${path}.1`);
  for (const name of ['.bak', '.1.gz', '-error', '.1.swp', '2']) writeFileSync(`${path}${name}`, 'foreign\n');
  writeFileSync(path, 'two\n');
  await look(ENOUGH);
  await look(ENOUGH);
  assert.deepEqual(lines(), ['one', 'two']);
});

test('a log that was deleted is followed when it is there again', async (t) => {
  const { path, look, lines } = await prepare(t);
  await look(2);
  writeFileSync(path, 'one\n');
  await look();
  renameSync(path, `${path}.old`);
  await look(ENOUGH);
  writeFileSync(path, 'two\n');
  appendFileSync(`${path}.old`, 'late\n');
  await look(ENOUGH);
  assert.deepEqual(lines(), ['one', 'late', 'two']);
});
