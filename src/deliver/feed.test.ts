import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { printPage } from '../store/page-printer.ts';
import type { PrintedPage, PrintedQuery, StoredEvent } from '../store/store-reader.ts';
import { TopicFilter } from '../topic-filter.ts';
import { type FeedStep, feed } from './feed.ts';
import { LiveTail } from './live-tail.ts';

const SOURCES = ['shop', '"shöp\\2"', 'shop2'];
const TOPICS = ['orders.eu', 'orders.us', 'payments'];

/** Events that a page looks at, whether or not they match. */
const LOOK_MAX = 30;

/** A log in memory, with gaps in its positions, that tells when it has grown. */
class Log {
  readonly events: StoredEvent[] = [];
  readonly #listeners = new Set<() => void>();
  reads = 0;
  failing = 0;
  #position = 0;

  add(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#position += 1 + (this.events.length % 3);
      this.events.push({
        position: this.#position,
        topic: TOPICS[this.events.length % TOPICS.length]!,
        event_id: String(this.events.length),
        timestamp: 0,
        source: SOURCES[(this.events.length % 5) % 3]!,
        payload: '{"some":"text"}',
        processed_at: 0,
        sequence: undefined,
      });
    }
    for (const listener of this.#listeners) listener();
  }

  onStored(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async lastPosition(): Promise<number> {
    await turn();
    return this.#position;
  }

  async printed(query: PrintedQuery): Promise<PrintedPage> {
    this.reads++;
    await turn();
    if (this.failing > 0) {
      this.failing--;
      throw new Error('the store is away');
    }
    const filter = query.patterns && new TopicFilter(query.patterns);
    const ahead = this.events.filter(({ position }) => position > (query.after ?? 0));
    const looked = ahead.slice(0, LOOK_MAX);
    const matching = looked.filter(
      ({ topic, source }) =>
        (query.topic === undefined || topic === query.topic) &&
        filter?.matches(topic) !== false &&
        (query.source === undefined || source === query.source),
    );
    const events = matching.slice(0, query.limit);
    const stop = matching.length > query.limit ? events : ahead.length > LOOK_MAX ? looked : [];
    return printPage({ events, next: stop.at(-1)?.position }, query.printing);
  }
}

function tailOf(log: Log, bytesMax?: number): LiveTail {
  return new LiveTail({ reader: log, stored: log, ...(bytesMax === undefined ? {} : { bytesMax }) });
}

function positionsOf({ page, runs }: FeedStep): number[] {
  return runs.flatMap(({ first, end }) => [...page.positions.subarray(first, end)]);
}

test('whatever comes when, and however slowly it is taken: each event that matches once, in order', async () => {
  const additions = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 12 });
  const pauses = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 8 });
  const pattern = fc.constantFrom('>', 'orders.*', 'payments', 'orders.us', 'none.>');
  await fc.assert(
    fc.asyncProperty(
      additions,
      pauses,
      pattern,
      fc.nat({ max: 60 }),
      fc.boolean(),
      async (counts, slow, topic, after, small) => {
        const log = new Log();
        log.add(counts[0]!);
        const tail = tailOf(log, small ? 1000 : undefined);
        const stop = new AbortController();
        const filter = new TopicFilter([topic]);
        const seen: number[] = [];
        let through = after;
        const reading = (async () => {
          let step = 0;
          for await (const taken of feed(log, tail, { filter, after, signal: stop.signal })) {
            seen.push(...positionsOf(taken));
            through = taken.through;
            for (let i = 0; i < slow[step++ % slow.length]!; i++) await turn();
          }
        })();
        for (const count of counts.slice(1)) {
          log.add(count);
          await turn();
        }
        const last = log.events.at(-1)?.position ?? 0;
        while (through < Math.max(last, after)) await turn();
        stop.abort();
        await reading;
        const expected = log.events.filter((event) => event.position > after && filter.matches(event.topic));
        assert.deepEqual(
          seen,
          expected.map(({ position }) => position),
        );
      },
    ),
    { numRuns: 60 },
  );
});

test('whoever follows a source gets its events alone, from the store and live', async () => {
  const log = new Log();
  log.add(8);
  const tail = tailOf(log);
  const stop = new AbortController();
  const options = {
    filter: new TopicFilter(['orders.*']),
    source: SOURCES[1]!,
    after: 0,
    signal: stop.signal,
  };
  const seen: number[] = [];
  const following = (async () => {
    for await (const step of feed(log, tail, options)) seen.push(...positionsOf(step));
  })();
  const expected = () =>
    log.events.filter(({ topic, source }) => topic.startsWith('orders.') && source === SOURCES[1]);
  while (seen.length < expected().length) await turn();
  log.add(30);
  while (seen.length < expected().length) await turn();
  stop.abort();
  await following;
  assert.deepEqual(
    seen,
    expected().map(({ position }) => position),
  );
});

test('a hundred who follow live cost the store as many reads as one', async () => {
  const log = new Log();
  log.add(10);
  const tail = tailOf(log);
  const stop = new AbortController();
  const counts = Array.from({ length: 100 }, () => 0);
  const following = counts.map(async (_, n) => {
    const options = {
      filter: new TopicFilter(['>']),
      after: log.events.at(-1)!.position,
      signal: stop.signal,
    };
    for await (const step of feed(log, tail, options)) counts[n]! += positionsOf(step).length;
  });
  log.add(1);
  while (counts.some((count) => count < 1)) await turn();
  const before = log.reads;
  for (let round = 2; round <= 11; round++) {
    log.add(1);
    while (counts.some((count) => count < round)) await turn();
  }
  assert.ok(log.reads - before <= 20, `${log.reads - before} reads`);
  stop.abort();
  await Promise.all(following);
});

test('a store that is away for a while is read again', async () => {
  const log = new Log();
  const tail = tailOf(log);
  const stop = new AbortController();
  const seen: number[] = [];
  const following = (async () => {
    const options = { filter: new TopicFilter(['>']), after: 0, signal: stop.signal };
    for await (const step of feed(log, tail, options)) seen.push(...positionsOf(step));
  })();
  log.add(1);
  while (seen.length < 1) await turn();
  log.failing = 1;
  log.add(1);
  while (seen.length < 2) await turn();
  stop.abort();
  await following;
  assert.deepEqual(
    seen,
    log.events.map(({ position }) => position),
  );
});
