import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryReader } from '../../../test/support/memory-reader.ts';
import { SekaliError } from '../../errors.ts';
import type { SequencePage, SequenceQuery } from '../../store/store-reader.ts';
import { type Found, GapFinder } from './gap-finder.ts';
import { TRACKER_WEIGHT_MAX } from './kept-trackers.ts';

const FOREVER = new AbortController().signal;
/** Aborted before it begins: each call reads one page, and waits for none. */
const AT_ONCE = AbortSignal.abort();

const everything = { topic: undefined, source: undefined, after: 0, limit: 100 };

function summary({ publishers }: Found): [name: string, events: number, missing: number][] {
  return publishers.map(({ topic, source, events, missing }) => [`${topic}/${source}`, events, missing]);
}

function codeOf(error: unknown): string {
  return error instanceof SekaliError ? error.code : String(error);
}

/** Notes what is asked for. */
class WatchedReader extends MemoryReader {
  readonly asked: SequenceQuery[] = [];
  readonly underWay: Promise<SequencePage>[] = [];
  override async sequences(query: SequenceQuery): Promise<SequencePage> {
    this.asked.push(query);
    const page = super.sequences(query);
    this.underWay.push(page);
    return await page;
  }
}

describe('gaps', () => {
  it('are told of each publisher apart, in the order of their first events', async () => {
    const reader = new MemoryReader();
    for (const [topic, source] of [
      ['b', 's'],
      ['a', 's'],
      ['a', 't'],
    ]) {
      for (const sequence of [1, 2, 4]) reader.publishSequence(sequence, { topic, source });
    }
    reader.publish('a');
    const finder = new GapFinder(reader);
    assert.deepEqual(summary(await finder.find(everything, FOREVER)), [
      ['b/s', 3, 1],
      ['a/s', 3, 1],
      ['a/t', 3, 1],
    ]);
    const ofTopic = await finder.find({ ...everything, topic: 'a' }, FOREVER);
    assert.deepEqual(
      ofTopic.publishers.map(({ source }) => source),
      ['s', 't'],
    );
    const ofSource = await finder.find({ ...everything, source: 's' }, FOREVER);
    assert.deepEqual(
      ofSource.publishers.map(({ topic }) => topic),
      ['b', 'a'],
    );
    assert.deepEqual(summary(await finder.find({ ...everything, topic: 'none' }, FOREVER)), []);
  });

  it('come in pages', async () => {
    const reader = new MemoryReader();
    for (const source of ['a', 'b', 'c', 'd', 'e']) reader.publishSequence(1, { source });
    const finder = new GapFinder(reader);
    const seen: string[] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page: Found = await finder.find({ ...everything, after, limit: 2 }, FOREVER);
      seen.push(page.publishers.map(({ source }) => source).join(''));
      after = page.next;
    }
    assert.deepEqual(seen, ['ab', 'cd', 'e']);
  });

  it('are found by reading only what is new', async () => {
    const reader = new WatchedReader();
    for (const sequence of [1, 2, 5]) reader.publishSequence(sequence);
    const finder = new GapFinder(reader);
    assert.deepEqual(summary(await finder.find(everything, FOREVER)), [['t/s', 3, 2]]);
    reader.publishSequence(3);
    assert.deepEqual(summary(await finder.find(everything, FOREVER)), [['t/s', 4, 1]]);
    assert.deepEqual(
      reader.asked.map(({ after }) => after),
      [0, 3],
    );
  });

  it('are told as far as they are known when the time is up, and the next call goes on from there', async () => {
    const reader = new WatchedReader(10);
    for (let sequence = 1; sequence <= 25; sequence++) reader.publishSequence(sequence);
    const [timeIsUp, released] = [new AbortController(), Promise.withResolvers<void>()];
    const finder = new GapFinder({
      async sequences(query) {
        const page = await reader.sequences(query);
        if (reader.asked.length === 2) {
          timeIsUp.abort();
          await released.promise;
        }
        return page;
      },
    });
    const early = await finder.find(everything, timeIsUp.signal);
    assert.deepEqual([early.through, early.isComplete], [10, false]);
    const next = finder.find(everything, FOREVER);
    released.resolve();
    const { through, isComplete } = await next;
    assert.deepEqual([through, isComplete], [25, true]);
    assert.deepEqual(
      reader.asked.map(({ after }) => after),
      [0, 10, 20],
      'what was on its way is not read anew',
    );
  });

  it('are worked out once for those who ask at the same time, each of whom is told of all before', async () => {
    const reader = new WatchedReader(10);
    for (let sequence = 1; sequence <= 95; sequence++) reader.publishSequence(sequence);
    const finder = new GapFinder(reader);
    const found = await Promise.all(Array.from({ length: 5 }, () => finder.find(everything, FOREVER)));
    for (const one of found) assert.deepEqual([one.through, one.isComplete], [95, true]);
    assert.equal(reader.asked.length, 10 + 4);
  });

  it('are told to one who does not wait for another, and not as complete', async () => {
    const reader = new MemoryReader();
    reader.publishSequence(1);
    const asked = Promise.withResolvers<SequencePage>();
    const finder = new GapFinder({ sequences: () => asked.promise });
    const first = finder.find(everything, FOREVER);
    const second = await finder.find(everything, AT_ONCE);
    assert.deepEqual(second, { publishers: [], through: 0, next: undefined, isComplete: false });
    asked.resolve(await reader.sequences({ after: 0, limit: 10 }));
    assert.equal((await first).isComplete, true);
  });

  it('are refused where there are too many publishers, and found of one', async () => {
    let nowMs = 0;
    const reader = new WatchedReader();
    const sources = Math.ceil(TRACKER_WEIGHT_MAX / 9);
    for (let i = 0; i <= sources; i++) reader.publishSequence(7, { source: `${i}` });
    const finder = new GapFinder(reader, () => nowMs);
    const refused = { code: 'publishers_too_many' };
    await assert.rejects(finder.find(everything, FOREVER), refused);
    const { length } = reader.asked;
    await assert.rejects(finder.find(everything, FOREVER), refused);
    assert.equal(reader.asked.length, length, 'what is refused is not read anew');
    reader.publishSequence(9, { source: '17' });
    const found = await finder.find({ ...everything, topic: 't', source: '17' }, FOREVER);
    assert.deepEqual(summary(found), [['t/17', 2, 1]]);
    reader.retire(sources - 1);
    nowMs = 3_600_000;
    assert.equal((await finder.find(everything, FOREVER)).publishers.length, 3);
  });

  it('goes on after the store was away', async () => {
    const reader = new MemoryReader();
    for (const sequence of [1, 3]) reader.publishSequence(sequence);
    let isAway = true;
    const finder = new GapFinder({
      async sequences(query) {
        if (isAway) throw new Error('away');
        return await reader.sequences(query);
      },
    });
    await assert.rejects(finder.find(everything, FOREVER), /away/);
    isAway = false;
    assert.deepEqual(summary(await finder.find(everything, FOREVER)), [['t/s', 2, 1]]);
  });

  it('of filters that nobody asks for any more are let go of', async () => {
    const reader = new WatchedReader();
    reader.publishSequence(1);
    const finder = new GapFinder(reader);
    const ask = (source: string) => finder.find({ ...everything, source }, FOREVER);
    await ask('s');
    for (let i = 0; i < 63; i++) await ask(`other-${i}`);
    await ask('s');
    assert.equal(reader.asked.at(-1)?.after, 1);
    for (let i = 0; i < 64; i++) await ask(`another-${i}`);
    await ask('s');
    assert.equal(reader.asked.at(-1)?.after, 0);
  });

  it('of several broad filters get further with each answer, and who finds no room is told so', async () => {
    let nowMs = 0;
    const reader = new WatchedReader();
    const topics = ['a', 'b', 'c'];
    const sources = Math.ceil((0.65 * TRACKER_WEIGHT_MAX) / 9);
    for (let i = 0; i < sources; i++) {
      for (const topic of topics) reader.publishSequence(1, { topic, source: `${i}` });
    }
    const finder = new GapFinder(reader, () => nowMs);
    const ask = async (topic: string) => {
      nowMs++;
      const found = await finder.find({ ...everything, topic }, AT_ONCE).catch(codeOf);
      await Promise.all(reader.underWay);
      return found;
    };
    const last = await reader.lastPosition();
    const furthest = new Map(topics.map((topic) => [topic, 0]));
    const refused = new Set<string>();
    const complete = new Set<string>();
    for (let round = 0; round < 60 && complete.size < topics.length; round++) {
      for (const topic of topics.filter((one) => !complete.has(one))) {
        const found = await ask(topic);
        if (typeof found === 'string') {
          assert.equal(found, 'overloaded');
          refused.add(topic);
          continue;
        }
        assert.ok(found.through >= furthest.get(topic)!, `${topic} went back to ${found.through}`);
        furthest.set(topic, found.through);
        if (found.through === last) complete.add(topic);
      }
    }
    assert.deepEqual([[...complete], [...refused]], [topics, ['c']]);
  });

  it('of a filter that has not caught up are kept, whoever else asks, until nobody has asked for long', async () => {
    let nowMs = 0;
    const reader = new MemoryReader();
    for (let i = 0; i < 4001; i++) {
      for (const topic of ['a', 'b', 'c']) reader.publishSequence(1, { topic, source: `${i}` });
    }
    const finder = new GapFinder(reader, () => nowMs);
    const ask = (topic: string) => finder.find({ ...everything, topic }, AT_ONCE);
    for (const topic of ['a', 'b']) await ask(topic);
    for (let i = 0; i < 70; i++) await finder.find({ ...everything, topic: `other-${i}` }, FOREVER);
    assert.ok((await ask('a')).through > 0);
    await assert.rejects(ask('c'), { code: 'overloaded' });
    nowMs += 10_000;
    assert.equal((await ask('c')).isComplete, false);
  });
});
