import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CLAIM_MS, SETTINGS, WorkerHarness } from '../../test/support/worker-harness.ts';
import { SekaliError } from '../errors.ts';
import type { QueueConsumer } from '../queue/queue.ts';
import type { WorkerStore } from './worker-settings.ts';

/**
 * What happens to one call of a worker to its queue or its store: `away`: nothing is done; `lost`: it is done, and the answer
 * says that it failed; `slow`: all that is held by then is anybody's; `crash`: the worker ends before it, `crash_after`: after
 * it was done.
 */
const FAULTS = ['none', 'away', 'lost', 'slow', 'crash', 'crash_after'] as const;
type Fault = (typeof FAULTS)[number];

const ENTRY_KINDS = ['good', 'good', 'good', 'refused', 'broken', 'of a new epoch'] as const;

/** A run: entries, some workers, and what goes wrong at each of their calls. Once the faults are used up, nothing does. */
class Run {
  readonly harness = new WorkerHarness();
  readonly #faults: Fault[];
  readonly #turn: () => Promise<void>;
  readonly #stop = new AbortController();
  crashes = 0;

  constructor(faults: readonly Fault[], turn: () => Promise<void>) {
    this.#faults = [...faults];
    this.#turn = turn;
    this.harness.onSleep = turn;
  }

  /** One worker after the other, until the queue is empty. */
  async place(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const death = Promise.withResolvers<void>();
      const call = this.#caller(() => {
        this.crashes++;
        death.resolve();
      });
      const worker = this.harness.worker({
        queue: this.#queue(call),
        openStore: () => call('store_unavailable', async () => this.#store(call)),
      });
      await Promise.race([worker.start(this.#stop.signal), death.promise]);
    }
  }

  /** Calls of one worker, each of which waits for its turn; after its end none is ever answered. */
  #caller(die: () => void): Call {
    let isDead = false;
    return async (code, work) => {
      const fault = this.#faults.pop() ?? 'none';
      await this.#turn();
      const end = async () => {
        if (!isDead) die();
        isDead = true;
        return await new Promise<never>(() => {});
      };
      if (isDead || fault === 'crash') return await end();
      if (fault === 'away') throw new SekaliError(code, 'It is away.');
      if (fault === 'slow') this.harness.pass(CLAIM_MS + 1);
      const result = await work();
      if (this.harness.queue.size === 0) this.#stop.abort();
      await this.#turn();
      if (isDead || fault === 'crash_after') return await end();
      if (fault === 'lost') throw new SekaliError(code, 'Its answer was lost.');
      return result;
    };
  }

  #queue(call: Call): QueueConsumer {
    const consumer = this.harness.queue.consumer();
    return {
      claim: (options) => call('queue_unavailable', () => consumer.claim(options)),
      ack: (entries) => call('queue_unavailable', () => consumer.ack(entries)),
      close: async () => {},
    };
  }

  #store(call: Call): WorkerStore {
    const store = this.harness.database.openStore();
    return {
      consume: (...group) => call('store_unavailable', () => store.consume(...group)),
      deadLetter: (letter) => call('store_unavailable', () => store.deadLetter(letter)),
      lastPosition: () => call('store_unavailable', () => store.lastPosition()),
      close: () => store.close(),
    };
  }
}

type Call = <T>(code: 'store_unavailable' | 'queue_unavailable', work: () => Promise<T>) => Promise<T>;

test('whatever crashes, is slow, is away or is lost: each entry ends once, and the counters are right', async () => {
  const entries = fc.array(
    fc.record({ kind: fc.constantFrom(...ENTRY_KINDS), events: fc.integer({ min: 1, max: 60 }) }),
    {
      minLength: 1,
      maxLength: 24,
    },
  );
  const faults = fc.array(fc.constantFrom('none', 'none', ...FAULTS), { maxLength: 60 });
  const seen = { crashes: 0, consumed: 0, dead: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      entries,
      faults,
      fc.integer({ min: 1, max: 3 }),
      async (s, entries, faults, workers) => {
        const run = new Run(faults, () => s.schedule(Promise.resolve()));
        const { database, queue } = run.harness;
        const expected: Record<string, number> = {};
        const bad = new Set<string>();
        const good = new Map<string, string[]>();
        for (const [i, { kind, events }] of entries.entries()) {
          const epoch = kind === 'of a new epoch' ? queue.beginEpoch() : (await queue.state()).epoch;
          if (kind === 'broken') bad.add(run.harness.enqueueBroken());
          else {
            const ids = Array.from({ length: events }, (_, n) => `${i}/${n}`);
            const id = run.harness.enqueue(...ids);
            if (kind === 'refused') bad.add(id);
            else good.set(id, ids);
            if (kind === 'refused') database.refused.add(id);
          }
          expected[epoch] = (expected[epoch] ?? 0) + (kind === 'broken' ? 1 : events);
        }

        await s.waitFor(Promise.all(Array.from({ length: workers }, () => run.place())));

        assert.equal(queue.size, 0);
        assert.equal(database.ended.size, entries.length);
        assert.deepEqual(database.consumed, expected);
        const consumed = [...good].filter(([id]) => database.ended.get(id) === 'consumed');
        assert.deepEqual(database.events.toSorted(), consumed.flatMap(([, ids]) => ids).toSorted());
        assert.equal(database.letters.length, entries.length - consumed.length);
        for (const id of bad) assert.equal(database.ended.get(id), 'dead');
        // A good entry may be set aside too, but only when it came back again and again without an answer.
        for (const { reason, attempts } of database.letters)
          assert.ok(!reason.includes('handed out') || attempts > 2 * SETTINGS.attemptsMax, reason);
        seen.crashes += run.crashes;
        seen.consumed += consumed.length;
        seen.dead += database.letters.length;
      },
    ),
    { numRuns: 200 },
  );
  assert.ok(seen.crashes > 100 && seen.consumed > 100 && seen.dead > 100, JSON.stringify(seen));
});
