import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Deliveries, Fetched } from '../deliver/deliveries.ts';
import { SekaliError } from '../errors.ts';
import type { StoredEvent } from '../store/store-reader.ts';
import type { FetchOptions } from './fetch-line.ts';
import { FetchLines } from './fetch-lines.ts';

const NEVER = new AbortController().signal;
const NOW = AbortSignal.abort();

function nothing(nextDueInMs?: number): Fetched {
  return { lease: '', leaseMs: 1, events: [], nextDueInMs };
}

/** A subscription whose events a test puts in, and whose looks it sees. */
class Fake {
  readonly ready: number[] = [];
  readonly back: number[] = [];
  looks = 0;
  looking = 0;
  lookingMost = 0;
  nextDueInMs: number | undefined;
  /** Called at each look, before it is answered. */
  onLook: () => void | Promise<void> = () => {};
  readonly listeners = new Set<() => void>();
  readonly lines: FetchLines;

  constructor() {
    const deliveries: Partial<Deliveries> = {
      fetch: async (_name, { eventsMax }) => await this.#look(eventsMax),
      nack: async (_name, leases, { as }) => {
        assert.equal(as, 'untried');
        this.back.push(...leases.map(({ position }) => position));
        return leases.map(() => 'done' as const);
      },
    };
    const stored = {
      onStored: (listener: () => void) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
    };
    this.lines = new FetchLines({ deliveries: deliveries as Deliveries, stored });
  }

  async #look(eventsMax: number): Promise<Fetched> {
    this.looks++;
    this.lookingMost = Math.max(this.lookingMost, ++this.looking);
    try {
      await this.onLook();
    } finally {
      this.looking--;
    }
    const events = this.ready
      .splice(0, eventsMax)
      .map((position) => ({ event: { position } as StoredEvent, attempt: 1 }));
    return { ...nothing(this.nextDueInMs), events };
  }

  store(...positions: number[]): void {
    this.ready.push(...positions);
    for (const listener of this.listeners) listener();
  }

  async fetch(options: Partial<FetchOptions> = {}): Promise<number[]> {
    const fetched = await this.lines.fetch('s', { eventsMax: 1, enough: NEVER, gone: NEVER, ...options });
    return fetched.events.map(({ event }) => event.position);
  }
}

describe('the line of those who fetch', () => {
  it('serves who came first, and makes one look at a time, however many wait', async () => {
    const fake = new Fake();
    const waiting = Array.from({ length: 100 }, async () => await fake.fetch());
    await fake.fetch({ enough: NOW });
    const before = fake.looks;
    fake.store(...Array.from({ length: 100 }, (_, i) => i));
    assert.deepEqual(
      await Promise.all(waiting),
      Array.from({ length: 100 }, (_, i) => [i]),
    );
    assert.equal(fake.lookingMost, 1);
    assert.ok(fake.looks - before <= 101, `${fake.looks - before} looks`);
  });

  it('is gone with the last one in it', async () => {
    const fake = new Fake();
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await fake.fetch({ enough: NOW }), []);
      assert.equal(fake.listeners.size, 0);
    }
  });

  it('tells one who does not wait only what a look has found that was made after it came', async () => {
    const fake = new Fake();
    const late = Promise.withResolvers<number[]>();
    fake.onLook = () => {
      fake.onLook = () => {};
      // Stored behind the back of the look that is under way.
      fake.fetch({ enough: NOW, eventsMax: 2 }).then(late.resolve, late.reject);
      queueMicrotask(() => queueMicrotask(() => fake.ready.push(7)));
    };
    const first = await fake.fetch({ enough: NOW });
    assert.deepEqual([...first, ...(await late.promise)], [7]);
  });

  it('looks on, without waiting, while there is more to look at', async () => {
    const fake = new Fake();
    fake.nextDueInMs = 0;
    fake.onLook = () => {
      if (fake.looks === 50) fake.ready.push(1);
    };
    assert.deepEqual(await fake.fetch({ enough: NOW }), [1]);
  });

  it('looks when something becomes due, or has been settled', async () => {
    const fake = new Fake();
    fake.nextDueInMs = 5;
    fake.onLook = () => {
      if (fake.looks === 2) fake.ready.push(1);
    };
    assert.deepEqual(await fake.fetch(), [1]);
    fake.onLook = () => {};
    const waiting = fake.fetch();
    await fake.fetch({ enough: NOW });
    fake.ready.push(2);
    fake.lines.ring('s');
    assert.deepEqual(await waiting, [2]);
  });

  it('answers who has had enough after one more look', async () => {
    const fake = new Fake();
    const enough = new AbortController();
    const waiting = fake.fetch({ enough: enough.signal });
    await fake.fetch({ enough: NOW });
    fake.ready.push(1);
    enough.abort();
    assert.deepEqual(await waiting, [1]);
  });

  it('gives back what was handed out to one who left meanwhile', async () => {
    const fake = new Fake();
    const gone = new AbortController();
    fake.onLook = () => gone.abort();
    fake.store(1);
    assert.deepEqual(await fake.fetch({ gone: gone.signal }), []);
    assert.deepEqual(fake.back, [1]);
    assert.deepEqual(await fake.fetch({ gone: NOW }), []);
    assert.equal(fake.looks, 1);
  });

  it('tells a failure to all who stand in it, and serves those who come later', async () => {
    const fake = new Fake();
    const waiting = [fake.fetch(), fake.fetch()];
    await fake.fetch({ enough: NOW });
    fake.onLook = () => {
      throw new SekaliError('store_unavailable', 'away');
    };
    fake.store();
    for (const one of await Promise.allSettled(waiting)) assert.equal(one.status, 'rejected');
    fake.onLook = () => {};
    fake.store(1);
    assert.deepEqual(await fake.fetch(), [1]);
  });
});
