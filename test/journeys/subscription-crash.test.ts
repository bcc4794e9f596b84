/** What a consumer was told is so also after kill -9: acknowledged events stay so, and no other event is lost. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { SqliteSubscriptions } from '../../src/store/sqlite/sqlite-subscriptions.ts';
import { appendOne } from '../contract/store/case.ts';
import { DEFINITION } from '../contract/subscriptions/case.ts';
import type { Told } from '../support/consumer-process.ts';
import { makeEvents } from '../support/make-events.ts';
import { tempDir } from '../support/temp-dir.ts';

const EVENTS = 20_000;
const KILLS = 4;

/** Runs a consumer until it has told so much, and kills it. */
async function consume(dataDir: string, lines: number): Promise<Told[]> {
  const script = new URL('../support/consumer-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, dataDir, 'billing'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const told: Told[] = [];
  for await (const line of createInterface(child.stdout)) {
    told.push(JSON.parse(line) as Told);
    if (told.length === lines) child.kill('SIGKILL');
  }
  await exited;
  assert.equal(child.signalCode, 'SIGKILL');
  return told;
}

test('killed again and again, a consumer finds acknowledged what it was told, and outstanding what it did not acknowledge', {
  timeout: 60_000,
}, async (t) => {
  const dataDir = tempDir(t);
  const store = SqliteStore.open({ dataDir });
  for (let n = 0; n < EVENTS; n += 10_000) await appendOne(store, ...makeEvents(10_000, `${n}-`));
  await store.close();
  let subscriptions = SqliteSubscriptions.open({ dataDir });
  const definition = { ...DEFINITION, topics: ['>'], ackWaitMs: 3_600_000, inFlightMax: EVENTS };
  await subscriptions.put('billing', definition, 0);
  await subscriptions.close();

  const sent = new Set<number>();
  const done = new Set<number>();
  for (let kill = 0; kill < KILLS; kill++) {
    for (const told of await consume(dataDir, 50 + 37 * kill)) {
      if ('sending' in told) for (const position of told.sending) sent.add(position);
      else if ('done' in told) for (const position of told.done) done.add(position);
      else assert.fail(JSON.stringify(told));
    }
    subscriptions = SqliteSubscriptions.open({ dataDir });
    const { cursor, leased } = (await subscriptions.get('billing'))!;
    const outstanding = allOutstanding(dataDir);
    await subscriptions.close();
    assert.equal(outstanding.size, leased);
    for (let position = 1; position <= cursor; position++) {
      const isAcked = !outstanding.has(position);
      if (done.has(position)) assert.ok(isAcked, `${position} was acknowledged, and is outstanding`);
      if (isAcked) assert.ok(sent.has(position), `${position} is lost`);
    }
    assert.ok(Math.max(...done) <= cursor);
    assert.ok(done.size > 100 && outstanding.size > 0, `${done.size} done, ${outstanding.size} outstanding`);
  }
});

function allOutstanding(dataDir: string): Set<number> {
  const db = new DatabaseSync(`${dataDir}/subscriptions.db`, { readOnly: true });
  const rows = db.prepare('SELECT position FROM outstanding').all();
  db.close();
  return new Set(rows.map((row) => row['position'] as number));
}
