/**
 * Events and keys age apart: any history of publishing, time, sweeps, restarts and crashes removes exactly what is over the
 * limits, and forgets exactly the keys whose window is over. Faults 5 and 17.
 *
 * The stores here sweep when they are told to: their own timers stand still.
 */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import * as fc from 'fast-check';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { type Fault, verifyStore } from '../../src/store/sqlite/verify/verify-store.ts';
import {
  type DedupWindow,
  orderRules,
  type Retention,
  type TopicRule,
  type TopicRules,
} from '../../src/topic-rules.ts';
import { AgingModel, type Draw, SOURCE } from '../support/aging-model.ts';
import { makeEvent } from '../support/make-events.ts';
import { SqliteHarness, TINY_GENERATIONS } from '../support/sqlite-harness.ts';
import { appendGroup, EVERYTHING } from './store/case.ts';

mock.timers.enable({ apis: ['setTimeout'] });

/** Of each property: a few seconds. */
const RUNS = 100;

const START_MS = Date.parse('2026-01-31T12:00:00Z');

interface Rules {
  readonly retention: TopicRules<Retention>;
  readonly dedupWindow: TopicRules<DedupWindow>;
}

type Step =
  | { kind: 'publish'; batches: Draw[][] }
  | { kind: 'clock'; ms: number }
  | { kind: 'sweep' }
  | { kind: 'settle' }
  | { kind: 'restart'; rules: Rules }
  | { kind: 'crash'; rules: Rules };

/** A store whose clock and rules a test sets. */
class AgingStore implements AsyncDisposable {
  nowMs = START_MS;
  store: SqliteStore;
  #rules: Rules;
  readonly #harness: SqliteHarness;

  constructor(rules: Rules, options: object = TINY_GENERATIONS) {
    this.#rules = rules;
    const clock = { nowMs: () => this.nowMs };
    this.#harness = new SqliteHarness(() => ({ ...options, clock, ...this.#rules }));
    this.store = this.#harness.openStore();
  }

  async reopen(how: 'restart' | 'crash', rules = this.#rules): Promise<void> {
    if (how === 'crash') await this.#harness.crash(this.store);
    else await this.store.close();
    this.#rules = rules;
    this.store = this.#harness.openStore();
  }

  /** @returns a receipt for each event */
  async publish(...batches: (readonly Draw[])[]) {
    const drafts = batches.map((draws) => ({ events: draws.map(toEvent) }));
    return (await appendGroup(this.store, ...drafts)).flat();
  }

  async verdicts(...draws: Draw[]): Promise<string[]> {
    return (await this.publish(draws)).map(({ verdict }) => verdict);
  }

  /** What `sekali verify` finds. */
  faults(): Fault[] {
    const faults: Fault[] = [];
    verifyStore({ dataDir: this.#harness.dataDir, onFault: (fault) => faults.push(fault) });
    return faults;
  }

  async readable(): Promise<number[]> {
    return (await this.store.events(EVERYTHING)).events.map(({ position }) => position);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#harness[Symbol.asyncDispose]();
  }
}

function toEvent({ topic, id, content, pad }: Draw) {
  return makeEvent({ topic, event_id: id, source: SOURCE, payload: { content, pad: 'x'.repeat(pad) } });
}

function draw(topic: string, id: string | number, content = 0, pad = 0): Draw {
  return { topic, id: String(id), content, pad };
}

function rule<T>(pattern: string, limits: T | undefined): TopicRule<T> {
  const isPrefix = pattern.endsWith('*');
  return { topic: isPrefix ? pattern.slice(0, -1) : pattern, isPrefix, limits };
}

function keep(pattern: string, limits: Partial<Retention> | 'forever'): TopicRule<Retention> {
  const none = { ageS: undefined, bytes: undefined, count: undefined };
  return rule(pattern, limits === 'forever' ? undefined : { ...none, ...limits });
}

function rulesOf(
  retention: TopicRule<Retention>[],
  windows: [pattern: string, windowS: number][] = [],
): Rules {
  return {
    retention: orderRules(retention),
    dedupWindow: orderRules(windows.map(([pattern, windowS]) => rule(pattern, { windowS }))),
  };
}

const RETENTIONS: TopicRule<Retention>[][] = [
  [],
  [keep('a', { count: 3 }), keep('b', { ageS: 5 })],
  [keep('*', { ageS: 8 })],
  [keep('*', { count: 4 }), keep('b', 'forever')],
  [keep('*', { bytes: 9000 }), keep('a', { count: 5, ageS: 20 })],
  [keep('a', { bytes: 20_000, count: 6 }), keep('b', { bytes: 7000, ageS: 12 }), keep('c', { count: 1 })],
];
const WINDOWS: [string, number][][] = [
  [],
  [['a', 5]],
  [['*', 10]],
  [
    ['a', 5],
    ['b', 30],
  ],
  [['b', 3]],
];

const rules = fc
  .record({ retention: fc.constantFrom(...RETENTIONS), windows: fc.constantFrom(...WINDOWS) })
  .map(({ retention, windows }) => rulesOf(retention, windows));

const someDraw: fc.Arbitrary<Draw> = fc.record({
  topic: fc.constantFrom('a', 'b', 'c'),
  id: fc.integer({ min: 0, max: 30 }).map(String),
  content: fc.integer({ min: 0, max: 1 }),
  // Several blocks a group, and several events a block.
  pad: fc.constantFrom(0, 0, 100, 6000),
});
const someBatches = fc.array(fc.array(someDraw, { minLength: 1, maxLength: 12 }), {
  minLength: 1,
  maxLength: 3,
});

function someSteps(clockMs: fc.Arbitrary<number>): fc.Arbitrary<Step[]> {
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('publish' as const), batches: someBatches }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('clock' as const), ms: clockMs }) },
    { weight: 3, arbitrary: fc.constantFrom<Step>({ kind: 'sweep' }, { kind: 'settle' }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), rules }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), rules }) },
  );
  return fc.array(step, { minLength: 1, maxLength: 24 });
}

const FORWARD = fc.oneof(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1000, max: 12_000 }));
const EITHER_WAY = fc.oneof(
  { weight: 3, arbitrary: FORWARD },
  { weight: 1, arbitrary: fc.integer({ min: -15_000, max: -1 }) },
);

for (const { how, options } of [
  { how: 'keys sealed by the handful', options: TINY_GENERATIONS },
  { how: 'keys in memory', options: {} },
]) {
  test(`any history removes exactly what is over the limits, and forgets exactly the keys whose window is over, ${how}`, async () => {
    await fc.assert(
      fc.asyncProperty(rules, someSteps(EITHER_WAY), async (first, steps) => {
        await using aging = new AgingStore(first, options);
        const model = new AgingModel(first);
        for (const step of steps) {
          await take(aging, model, step);
          await model.compare(aging.store);
        }
        assert.deepEqual(aging.faults(), []);
      }),
      { numRuns: RUNS },
    );
  });
}

async function take(aging: AgingStore, model: AgingModel, step: Step): Promise<void> {
  model.see(aging.nowMs);
  if (step.kind === 'publish') {
    model.publish(step.batches.flat(), await aging.publish(...step.batches), aging.nowMs);
  } else if (step.kind === 'clock') aging.nowMs += step.ms;
  else if (step.kind === 'settle') await aging.store.settled();
  else if (step.kind === 'sweep') {
    aging.store.sweep();
    model.sweep(aging.nowMs);
  } else {
    await aging.reopen(step.kind, step.rules);
    model.rules = step.rules;
  }
}

test('verdicts depend on the history alone: not on restarts, crashes, sweeps, nor on what has been sealed', async () => {
  await fc.assert(
    fc.asyncProperty(
      rules,
      someSteps(EITHER_WAY),
      fc.array(fc.nat(7), { minLength: 24, maxLength: 24 }),
      async (only, steps, chances) => {
        await using undisturbed = new AgingStore(only, {});
        await using disturbed = new AgingStore(only);
        for (const [i, step] of steps.entries()) {
          if (step.kind === 'clock') {
            undisturbed.nowMs += step.ms;
            disturbed.nowMs += step.ms;
          }
          if (chances[i]! < 2) await disturbed.reopen(chances[i] === 0 ? 'restart' : 'crash');
          else if (chances[i] === 2) disturbed.store.sweep();
          else if (chances[i] === 3) await disturbed.store.settled();
          if (step.kind !== 'publish') continue;
          const said = [undisturbed, disturbed].map(async (each) =>
            (await each.publish(...step.batches)).map(({ verdict, position }) => ({ verdict, position })),
          );
          assert.deepEqual(await said[1], await said[0]);
        }
      },
    ),
    { numRuns: RUNS },
  );
});

test('a removed event leaves its key: duplicate and conflict as before, over a restart', async () => {
  await using aging = new AgingStore(rulesOf([keep('*', { count: 1 })]));
  await aging.publish([draw('a', 1), draw('a', 2)]);
  aging.store.sweep();
  for (const how of ['restart', 'crash', undefined] as const) {
    assert.deepEqual(await aging.readable(), [2]);
    assert.equal(await aging.store.eventAt(1), undefined);
    assert.equal(await aging.store.find('a', '1'), 1);
    const [again, other, kept] = await aging.publish([draw('a', 1), draw('a', 1, 9), draw('a', 2)]);
    assert.deepEqual(again, { verdict: 'duplicate', position: 1, firstSeenAt: undefined });
    assert.deepEqual(other, { verdict: 'conflict', position: 1, firstSeenAt: undefined });
    assert.deepEqual(kept, { verdict: 'duplicate', position: 2, firstSeenAt: START_MS * 1000 });
    if (how !== undefined) await aging.reopen(how);
  }
});

test('a topic that gets nothing any more loses its last event too once that is too old', async () => {
  await using aging = new AgingStore(rulesOf([keep('*', { ageS: 60 })]));
  await aging.publish([draw('a', 1)]);
  aging.nowMs += 60_000;
  aging.store.sweep();
  assert.deepEqual(await aging.readable(), [1]);
  aging.nowMs += 1;
  aging.store.sweep();
  assert.deepEqual(await aging.readable(), []);
});

test('a clock that was ahead for a while, or behind, makes no event go early, and none stay when it is too old', async () => {
  await using aging = new AgingStore(rulesOf([keep('*', { ageS: 60 })]));
  for (const [i, offsetMs] of [0, 30_000, 10_000, 40_000].entries()) {
    aging.nowMs = START_MS + offsetMs;
    await aging.publish([draw('a', i)]);
  }
  const left: number[][] = [];
  for (const offsetMs of [60_001, 70_001, 90_000, 90_001, 100_001]) {
    aging.nowMs = START_MS + offsetMs;
    aging.store.sweep();
    left.push(await aging.readable());
  }
  // The third was stored, by the clock, before the second, but goes no earlier than that.
  assert.deepEqual(left, [[2, 3, 4], [2, 3, 4], [2, 3, 4], [4], []]);
});

test('a topic that is over its limits at every sweep does not keep the others waiting', async () => {
  await using aging = new AgingStore(rulesOf([keep('*', { count: 1 })]));
  for (let i = 0; i < 300; i++) await aging.publish([draw('a', i, 0, 16_000), draw('b', i)]);
  aging.store.sweep();
  assert.deepEqual(await aging.readable(), [599, 600]);
  const topics = await aging.store.topics({ after: undefined, limit: 10 });
  assert.deepEqual(
    topics.map(({ topic, events, retired }) => [topic, events, retired]),
    [
      ['a', 300, 299],
      ['b', 300, 299],
    ],
  );
});

test('a topic that is in few of many blocks is taken out of those, over as many bites as it needs', async () => {
  for (const limits of [{ ageS: 60 }, { count: 7 }, { bytes: 5000 }]) {
    await using aging = new AgingStore(rulesOf([keep('rare*', limits)]), {});
    for (let i = 0; i < 200; i++) {
      const kept = Array.from({ length: 15 }, (_, n) => draw('kept', `${i}-${n}`, 0, 15_000));
      await aging.publish([draw('rare', i, 0, 500), draw('rare too', i, 0, 500), ...kept]);
    }
    aging.nowMs += 'ageS' in limits ? 60_001 : 0;
    aging.store.sweep();
    const topics = await aging.store.topics({ after: undefined, limit: 10 });
    const [kept, ...rare] = topics.map(({ events, retired }) => events - retired);
    assert.equal(kept, 3000);
    const left = 'ageS' in limits ? 0 : 'count' in limits ? 7 : 9;
    assert.deepEqual(rare, [left, left]);
    for (const topic of ['rare', 'rare too']) {
      const { events } = await aging.store.events({ ...EVERYTHING, topic });
      assert.deepEqual(
        events.map(({ event_id }) => Number(event_id)),
        Array.from({ length: left }, (_, i) => 200 - left + i),
      );
    }
  }
});

test('of a topic that has older events elsewhere, none goes along with those of another topic', async () => {
  await using aging = new AgingStore(rulesOf([keep('*', { ageS: 60 })]), {});
  for (let i = 0; i < 300; i++) await aging.publish([draw('long', i, 0, 16_000)]);
  for (let i = 300; i < 330; i++) await aging.publish([draw('late', i), draw('long', i)]);
  aging.nowMs += 60_001;
  aging.store.sweep();
  assert.deepEqual(await aging.readable(), []);
  const topics = await aging.store.topics({ after: undefined, limit: 10 });
  assert.deepEqual(
    topics.map(({ topic, events, retired }) => [topic, events, retired]),
    [
      ['late', 30, 30],
      ['long', 330, 330],
    ],
  );
});

test('topics of one age go together, and leave what others have in between', async () => {
  for (const kept of [false, true]) {
    await using aging = new AgingStore(rulesOf([keep('*', { ageS: 60 }), keep('kept', 'forever')]), {});
    for (let i = 0; i < 400; i++) {
      aging.nowMs += 1000;
      const other = kept && i % 100 === 50 ? [draw('kept', i)] : [];
      await aging.publish([draw('a', i, 0, 9000), ...other, draw('b', i, 0, 9000)]);
    }
    const all = await aging.readable();
    aging.store.sweep();
    const events = (await aging.store.events(EVERYTHING)).events;
    assert.equal(all.length, kept ? 804 : 800);
    assert.equal(events.filter(({ topic }) => topic === 'kept').length, kept ? 4 : 0);
    // Of the last 61 seconds, the first one included: older than 60 s is too old.
    assert.equal(events.filter(({ topic }) => topic !== 'kept').length, 2 * 61);
  }
});

test('within its window a key is known, after it the event is stored anew, at a new position', async () => {
  await using aging = new AgingStore(rulesOf([], [['a', 10]]));
  await aging.publish([draw('a', 1), draw('b', 1)]);
  aging.nowMs += 9_999;
  assert.deepEqual(await aging.verdicts(draw('a', 1), draw('a', 1, 9)), ['duplicate', 'conflict']);
  for (const how of ['restart', 'crash'] as const) {
    aging.nowMs += 11_001;
    await aging.reopen(how);
    const [anew, again, other] = await aging.publish([draw('a', 1), draw('a', 1), draw('b', 1)]);
    assert.equal(anew?.verdict, 'stored');
    assert.deepEqual([again?.verdict, again?.position], ['duplicate', anew?.position]);
    assert.deepEqual([other?.verdict, other?.position], ['duplicate', 2]);
    assert.equal(await aging.store.find('a', '1'), anew?.position);
    await aging.reopen(how);
    assert.deepEqual(await aging.verdicts(draw('a', 1)), ['duplicate']);
  }
  assert.deepEqual((await aging.readable()).length, 4);
});

test('a key that is forgotten is known to nobody, whatever is left of it in memory, before and after a restart', async () => {
  await using aging = new AgingStore(rulesOf([], [['a', 10]]));
  await aging.publish([draw('a', 1)]);
  aging.nowMs += 12_000;
  await aging.publish([draw('b', 1)]);
  assert.equal(await aging.store.find('a', '1'), undefined);
  await aging.reopen('restart');
  assert.equal(await aging.store.find('a', '1'), undefined);
  assert.deepEqual(await aging.readable(), [1, 2]);
});

test('a window holds for what is stored under it: another one, or none, changes nothing of what is there', async () => {
  const [short, long, none] = [rulesOf([], [['a', 10]]), rulesOf([], [['a', 100]]), rulesOf([])];
  await using aging = new AgingStore(none);
  await aging.publish([draw('a', 'forever')]);
  await aging.reopen('restart', short);
  await aging.publish([draw('a', 'short')]);
  await aging.reopen('restart', long);
  await aging.publish([draw('a', 'long')]);
  await aging.reopen('restart', none);
  await aging.publish([draw('a', 'forever too')]);
  const all = ['forever', 'short', 'long', 'forever too'].map((id) => draw('a', id));
  aging.nowMs += 12_000;
  assert.deepEqual(await aging.verdicts(...all), ['duplicate', 'stored', 'duplicate', 'duplicate']);
  await aging.reopen('restart', short);
  aging.nowMs += 100_000;
  assert.deepEqual(await aging.verdicts(...all), ['duplicate', 'duplicate', 'stored', 'duplicate']);
});

test('generations whose keys are all forgotten are dropped, and their memory with them', async () => {
  await using aging = new AgingStore(rulesOf([], [['*', 10]]));
  for (let i = 0; i < 100; i++) {
    aging.nowMs += 1000;
    await aging.publish([draw('a', i), draw('b', i)]);
    aging.store.sweep();
    for (let turn = 0; turn < 3; turn++) await aging.store.settled();
  }
  const { keys } = aging.store.keyStats();
  assert.ok(keys >= 20 && keys <= 60, `${keys} keys are held of 200`);
  assert.equal(aging.store.keyStats().keys, keys);
});

test('a store sweeps by itself, and its events go without anybody asking', async () => {
  await using aging = new AgingStore(rulesOf([keep('*', { count: 1 })]));
  await aging.publish([draw('a', 1), draw('a', 2)]);
  for (let second = 0; second < 4; second++) mock.timers.tick(1000);
  assert.deepEqual(await aging.readable(), [2]);
});
