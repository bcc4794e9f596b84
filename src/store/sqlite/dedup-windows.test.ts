import assert from 'node:assert/strict';
import type { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { type DedupWindow, orderRules, type TopicRules } from '../../topic-rules.ts';
import { openWriter } from './connection.ts';
import { DedupWindows } from './dedup-windows.ts';
import { migrate } from './migrate.ts';

const DAY_S = 24 * 60 * 60;
const NO_CONTENT = { high: 0, low: 0 };

function rulesOf(...windows: [topic: string, windowS: number][]): TopicRules<DedupWindow> {
  return orderRules(windows.map(([topic, windowS]) => ({ topic, isPrefix: false, limits: { windowS } })));
}

/** A database as a store has it, without its events: in one transaction, for nothing is lost with it. */
function database(t: Parameters<typeof tempDir>[0]): DatabaseSync {
  const db = openWriter(tempDir(t));
  t.after(() => db.close());
  migrate(db);
  db.exec('BEGIN');
  return db;
}

/** The highest position that is forgotten of a class. */
function forgottenTo(windows: DedupWindows, windowClass: number, lastPosition: number): number {
  const isForgotten = (position: number) =>
    windows.isForgotten({ position, windowClass, content: NO_CONTENT });
  let [low, high] = [0, lastPosition];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (isForgotten(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

test('with a group a second, a window of 30 days is over within 0.2 % of its length, and ticks stay few', (t) => {
  const db = database(t);
  const windowS = 30 * DAY_S;
  const windows = new DedupWindows(db, rulesOf(['a', windowS]), 0);
  const windowClass = windows.classOf('a');
  let forgotten = 0;
  let latestS = 0;
  // Position n is stored at second n.
  const endS = windowS + 10 * DAY_S;
  for (let second = 1; second <= endS; second++) {
    windows.begin(second * 1e6, second - 1);
    if (second <= windowS || second % 600 !== 0) continue;
    const now = forgottenTo(windows, windowClass, second - 1);
    assert.ok(now >= forgotten, 'what is forgotten comes back');
    assert.ok(now <= second - windowS, `position ${now} is forgotten ${second - now} s after it was stored`);
    forgotten = now;
    latestS = Math.max(latestS, second - windowS - now);
  }
  assert.ok(latestS <= windowS * 0.002, `forgotten ${latestS} s late`);
  const ticks = db.prepare('SELECT count(*) AS ticks FROM ticks').get()?.['ticks'] as number;
  assert.ok(ticks <= 20_000, `${ticks} ticks`);
});

test('another process goes on where the one before has stopped', (t) => {
  const db = database(t);
  const rules = rulesOf(['a', 10], ['b', 100]);
  const first = new DedupWindows(db, rules, 0);
  const [a, b] = [first.classOf('a'), first.classOf('b')];
  assert.deepEqual([a, b, first.classOf('c')], [1, 2, 0]);
  for (let second = 1; second <= 50; second++) first.begin(second * 1e6, second - 1);
  const second = new DedupWindows(db, rulesOf(['c', 100], ['d', 7]), 50e6);
  assert.deepEqual(
    ['a', 'c', 'd'].map((topic) => second.classOf(topic)),
    [0, b, 3],
  );
  for (const windows of [first, second]) {
    windows.begin(50e6, 49);
    assert.deepEqual(
      [a, b].map((windowClass) => forgottenTo(windows, windowClass, 49)),
      [40, 0],
    );
  }
});

test('a clock that has gone back makes keys last longer, never shorter, and drops nothing that is still known', (t) => {
  const windows = new DedupWindows(database(t), rulesOf(['a', 10]), 0);
  const windowClass = windows.classOf('a');
  windows.begin(100e6, 0); // stores position 1, by a clock that is ahead
  windows.begin(20e6, 1); // stores position 2
  windows.begin(31e6, 2);
  assert.equal(forgottenTo(windows, windowClass, 2), 0);
  windows.begin(120e6, 2); // a jump ahead again, which stores nothing
  assert.equal(forgottenTo(windows, windowClass, 2), 2);
  assert.equal(windows.droppable().get(windowClass), 0, 'the next group may count with an earlier time');
  windows.begin(105e6, 2);
  assert.equal(forgottenTo(windows, windowClass, 2), 0);
});

test('while no window is set, and none ever was, nothing is noted', (t) => {
  const db = database(t);
  const windows = new DedupWindows(db, [], 0);
  for (let second = 1; second <= 10; second++) windows.begin(second * 1e6, second);
  assert.equal(windows.isUsed, false);
  assert.equal(windows.classOf('a'), 0);
  assert.equal(db.prepare('SELECT count(*) AS ticks FROM ticks').get()?.['ticks'], 0);
});
