import assert from 'node:assert/strict';
import { it } from 'node:test';
import { makeEvents } from '../../test/support/make-events.ts';
import { SekaliError } from '../errors.ts';
import { BatchDecoder } from './decode.ts';
import type { ThreadAnswer } from './ingest-messages.ts';
import { Lane, type Sink } from './lane.ts';
import type { OpenGroup } from './open-group.ts';

const DECODER = new BatchDecoder(
  { eventBytesMax: 1_000_000, depthMax: 10, eventsMax: 100 },
  { keySecret: new Uint8Array(16), contentSeed: { high: 1, low: 2 } },
);

/** A sink whose commits end when the test says so, and a lane in front of it. */
class Harness {
  readonly groups: { group: OpenGroup; done: PromiseWithResolvers<void> }[] = [];
  readonly answers: ThreadAnswer[] = [];
  readonly told: string[] = [];
  closed = 0;
  /** What the next openings end with; after the last, they succeed. */
  readonly openings: SekaliError[] = [];
  readonly lane: Lane;
  #noted = Promise.withResolvers<void>();

  constructor(groupBytesMax = 1_000_000) {
    this.lane = new Lane({
      unavailable: 'queue_unavailable',
      groupBytesMax,
      open: async () => {
        const error = this.openings.shift();
        if (error !== undefined) throw error;
        return this.sink();
      },
      onReady: () => this.#note('ready'),
      onDown: (reason) => this.#note(`down: ${reason}`),
      answer: (answers) => {
        this.answers.push(...answers);
        this.#note(undefined);
      },
    });
  }

  sink(): Sink {
    return {
      decoder: DECODER,
      commit: async (group) => {
        const done = Promise.withResolvers<void>();
        this.groups.push({ group, done });
        await done.promise;
        return group.outcomes(undefined);
      },
      prove: async () => {},
      close: async () => {
        this.closed++;
      },
    };
  }

  push(id: number, events = 1): void {
    const body = new TextEncoder().encode(JSON.stringify(makeEvents(events, `${id}-`)));
    this.lane.push({ id, lane: 'queued', body, format: 'json', atomic: false, receipts: false });
  }

  /** Waits until something that the lane tells makes this true. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await this.#noted.promise;
  }

  get verdicts(): (string | undefined)[] {
    return this.answers.map((answer) => ('json' in answer ? 'taken' : answer.failure.code));
  }

  #note(message: string | undefined): void {
    if (message !== undefined) this.told.push(message);
    const noted = this.#noted;
    this.#noted = Promise.withResolvers();
    noted.resolve();
  }
}

it('what comes while a group is committed is the next group', async () => {
  const harness = new Harness();
  harness.lane.use(harness.sink());
  for (const id of [1, 2, 3]) {
    harness.push(id);
    harness.lane.turn();
  }
  assert.deepEqual(
    harness.groups.map(({ group }) => group.requests),
    [1],
  );
  harness.groups[0]!.done.resolve();
  await harness.until(() => harness.answers.length === 1);
  await new Promise(setImmediate);
  assert.deepEqual(
    harness.groups.map(({ group }) => group.requests),
    [1, 2],
  );
  harness.groups[1]!.done.resolve();
  await harness.until(() => harness.answers.length === 3);
  assert.deepEqual(harness.verdicts, ['taken', 'taken', 'taken']);
});

it('a group takes in no more once it is full, but one request at least', async () => {
  const harness = new Harness(1000);
  harness.lane.use(harness.sink());
  for (const id of [1, 2, 3]) harness.push(id, 10);
  harness.lane.turn();
  for (const number of [0, 1, 2]) {
    assert.equal(harness.groups[number]?.group.requests, 1);
    harness.groups[number].done.resolve();
    await harness.until(() => harness.answers.length === number + 1);
    await new Promise(setImmediate);
  }
});

it('a sink that is full refuses a group, and goes on', async () => {
  const harness = new Harness();
  harness.lane.use(harness.sink());
  harness.push(1);
  harness.lane.turn();
  harness.groups[0]!.done.reject(new SekaliError('overloaded', 'full'));
  await harness.until(() => harness.answers.length === 1);
  harness.push(2);
  harness.lane.turn();
  await new Promise(setImmediate);
  harness.groups[1]!.done.resolve();
  await harness.until(() => harness.answers.length === 2);
  assert.deepEqual(harness.verdicts, ['overloaded', 'taken']);
  assert.deepEqual(harness.told, ['ready']);
});

it('a sink that fails is closed and opened again, and until then all is refused with the reason', async () => {
  const harness = new Harness();
  harness.lane.use(harness.sink());
  harness.push(1);
  harness.lane.turn();
  harness.push(2);
  harness.lane.turn();
  harness.openings.push(new SekaliError('queue_unavailable', 'still away'));
  harness.groups[0]!.done.reject(new Error('away'));
  await harness.until(() => harness.told.includes('down: still away'));
  assert.throws(() => harness.lane.check(), { code: 'queue_unavailable', message: 'still away' });
  harness.push(3);
  harness.lane.turn();
  await harness.until(() => harness.told.length === 4);
  assert.deepEqual(harness.verdicts, ['queue_unavailable', 'queue_unavailable', 'queue_unavailable']);
  assert.deepEqual(harness.told, ['ready', 'down: away', 'down: still away', 'ready']);
  assert.equal(harness.closed, 1);
  harness.lane.check();
});

it('a lane that closes answers what it has, and then closes its sink', async () => {
  const harness = new Harness();
  harness.lane.use(harness.sink());
  for (const id of [1, 2]) {
    harness.push(id);
    harness.lane.turn();
  }
  const closed = harness.lane.close();
  harness.groups[0]!.done.resolve();
  await harness.until(() => harness.answers.length === 1);
  await new Promise(setImmediate);
  assert.equal(harness.closed, 0);
  harness.groups[1]!.done.resolve();
  await closed;
  assert.deepEqual([harness.answers.length, harness.closed], [2, 1]);
});
