import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { EARLIER_GAPS_KEPT, GAPS_KEPT, RESTARTS_KEPT } from './course.ts';
import { DOUBTFUL_EVENTS_MAX, DOUBTFUL_RESTARTS_MAX, PublisherSequence } from './publisher-sequence.ts';
import { REORDER_MAX } from './run.ts';

/** The publisher after arrivals at positions 1, 2, 3, … */
function after(...sequences: number[]): PublisherSequence {
  const arrivals = sequences.map((sequence, i) => ({ sequence, position: i + 1, processed_at: i * 1000 }));
  const publisher = new PublisherSequence(arrivals[0]!);
  for (const arrival of arrivals.slice(1)) publisher.take(arrival);
  return publisher;
}

function ranges(publisher: PublisherSequence): [number, number][] {
  return publisher.gaps().map(({ from, to }) => [from, to]);
}

function count(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** What is told of repeats and restarts, and whether anything is missing. */
function verdict({ missing, repeated, restartCount }: PublisherSequence) {
  return { missing, repeated, restartCount };
}

describe('the sequence of a publisher', () => {
  it('has no gap while it counts', () => {
    const publisher = after(7, 8, 9);
    assert.deepEqual([publisher.first, publisher.highest, publisher.missing], [7, 9, 0]);
    assert.deepEqual([publisher.events, publisher.outOfOrder, publisher.restartCount], [3, 0, 0]);
    assert.deepEqual([publisher.firstPosition, publisher.lastPosition], [1, 3]);
  });

  it('has a gap where it jumps, with the event that showed it', () => {
    assert.deepEqual(after(1, 2, 6, 7).gaps(), [{ from: 3, to: 5, position: 3, processed_at: 2000 }]);
  });

  it('closes a gap by what comes late: from either end, or in the middle, which parts it', () => {
    assert.deepEqual(ranges(after(0, 9, 1)), [[2, 8]]);
    assert.deepEqual(ranges(after(0, 9, 8)), [[1, 7]]);
    const parted = after(0, 9, 4);
    assert.deepEqual(ranges(parted), [
      [1, 3],
      [5, 8],
    ]);
    assert.deepEqual(new Set(parted.gaps().map(({ position }) => position)), new Set([2]));
    const closed = after(0, 2, 1);
    assert.deepEqual([closed.gapCount, closed.outOfOrder, closed.restartCount], [0, 1, 0]);
  });

  it('begins lower where a number below its first is near its highest', () => {
    const publisher = after(5, 6, 2);
    assert.deepEqual([publisher.first, publisher.highest, publisher.outOfOrder], [2, 6, 1]);
    assert.deepEqual(ranges(publisher), [[3, 4]]);
    assert.equal(after(REORDER_MAX, 0).restartCount, 0);
    assert.equal(after(REORDER_MAX, REORDER_MAX + 1, 0).restartCount, 1);
  });

  it('starts anew with a number that it has had, or one far below', () => {
    const publisher = after(1, 2, 3, 1, 2);
    assert.deepEqual(publisher.restarts, [{ sequence: 1, after: 3, position: 4, processed_at: 3000 }]);
    assert.deepEqual([publisher.first, publisher.highest, publisher.missing], [1, 2, 0]);
    assert.equal(after(5000, 5001, 17).restartCount, 1);
  });

  it('keeps the gaps of an earlier run, and what comes late closes them where the run under way has the number', () => {
    const publisher = after(1, 2, 5, 1, 2);
    assert.deepEqual(ranges(publisher), [[3, 4]]);
    assert.deepEqual(ranges(after(1, 2, 5, 1, 2, 3, 3)), [[4, 4]]);
    assert.deepEqual(ranges(after(1, 2, 5, 1, 2, 3, 3, 4, 4)), []);
    assert.equal(after(1, 2, 5, 1, 2, 3, 3, 4, 4).restartCount, 1);
  });

  it('closes the gap of the newest earlier run first', () => {
    const publisher = after(1, 3, 1, 3, 1, 2, 2);
    assert.deepEqual(
      publisher.gaps().map(({ from, to, position }) => [from, to, position]),
      [[2, 2, 2]],
    );
  });

  it('counts every restart and lists the newest', () => {
    const publisher = after(...Array.from({ length: RESTARTS_KEPT + 51 }, () => [4, 5]).flat());
    assert.equal(publisher.restartCount, RESTARTS_KEPT + 50);
    assert.equal(publisher.restarts.length, RESTARTS_KEPT);
    assert.equal(publisher.restarts.at(-1)?.position, 2 * (RESTARTS_KEPT + 51) - 1);
  });

  it('forgets its lowest gaps beyond those that are kept, and counts their numbers', () => {
    const everyThird = Array.from({ length: GAPS_KEPT + 6 }, (_, i) => i * 3);
    const publisher = after(...everyThird);
    assert.deepEqual([publisher.gapCount, publisher.missing], [GAPS_KEPT, 2 * GAPS_KEPT]);
    assert.equal(publisher.forgotten, 5 * 2);
    assert.equal(publisher.gaps()[0]?.from, 5 * 3 + 1);
    const inDoubt = after(...everyThird, 0);
    assert.deepEqual([inDoubt.restartCount, inDoubt.gapCount, inDoubt.forgotten], [1, GAPS_KEPT, 5 * 2]);
    const restarted = after(...everyThird, ...count(0, DOUBTFUL_EVENTS_MAX));
    assert.deepEqual([restarted.restartCount, restarted.gapCount], [1, EARLIER_GAPS_KEPT]);
    assert.equal(restarted.forgotten, 2 * (GAPS_KEPT + 5 - EARLIER_GAPS_KEPT));
  });

  it('bounds the gaps of earlier runs, also where what comes late parts them', () => {
    const all = Array.from({ length: 2 * EARLIER_GAPS_KEPT + 21 }, (_, i) => i);
    const late = all.slice(1, -1).filter((number) => number % 2 === 1);
    const publisher = after(0, all.length - 1, ...all, ...late.slice(0, EARLIER_GAPS_KEPT + 4));
    assert.deepEqual([publisher.restartCount, publisher.gapCount], [1, EARLIER_GAPS_KEPT]);
    assert.equal(publisher.outOfOrder, EARLIER_GAPS_KEPT + 4);
    assert.equal(publisher.forgotten, 4);
    assert.equal(publisher.gaps()[0]?.from, 10);
  });

  it('tells more numbers missing than a double holds as the most that it holds exactly', () => {
    const max = Number.MAX_SAFE_INTEGER;
    assert.equal(after(0, max).missing, max - 1);
    const twice = after(0, max, ...count(0, DOUBTFUL_EVENTS_MAX), max);
    assert.deepEqual([twice.gapCount, twice.missing], [2, max]);
    const once = count(0, DOUBTFUL_EVENTS_MAX);
    const everySecond = once.map((number) => 2 * number);
    assert.equal(after(0, max, ...once, max, ...everySecond, ...once).forgotten, max);
  });
});

/** What is told after the numbers up to 100, and these. */
function again(...numbers: number[]) {
  return verdict(after(...count(1, 100), ...numbers));
}

describe('a number that comes once more', () => {
  it('makes nothing missing once the publisher goes on', () => {
    const once = { missing: 0, repeated: 1, restartCount: 0 };
    assert.deepEqual(verdict(after(...count(1, 100), 50, 101)), once);
    assert.deepEqual(verdict(after(...count(1, 100), 100, 101)), once);
    assert.deepEqual(verdict(after(...count(1, 100_000), 1, 100_001)), once);
    assert.deepEqual(verdict(after(...count(5000, 10_000), 3000, 10_001)), once);
    assert.deepEqual(verdict(after(...count(1, 100), 50, 103)), { ...once, missing: 2 });
  });

  it('may be one of a request that was sent again', () => {
    assert.deepEqual(again(50, 51, 52, 101), { missing: 0, repeated: 3, restartCount: 0 });
    assert.deepEqual(again(97, 98, 99, 100, 101), { missing: 0, repeated: 4, restartCount: 0 });
    assert.deepEqual(again(50, 51, 50, 51, 50, 100, 101), { missing: 0, repeated: 6, restartCount: 0 });
    assert.deepEqual(again(1, 100, 101), { missing: 0, repeated: 2, restartCount: 0 });
    assert.deepEqual(again(97, 98, 102, 101), { missing: 0, repeated: 2, restartCount: 0 });
  });

  it('may be one of a gap that is forgotten', () => {
    const everySecond = count(0, GAPS_KEPT + 5).map((number) => number * 2);
    const publisher = after(...everySecond, 1, everySecond.at(-1)! + 1);
    assert.deepEqual(verdict(publisher), { missing: GAPS_KEPT, repeated: 1, restartCount: 0 });
  });

  it('is told as a restart as long as nothing else came, with the gaps of the run before', () => {
    const publisher = after(1, 2, 5, 6, 2);
    assert.deepEqual(publisher.restarts, [{ sequence: 2, after: 6, position: 5, processed_at: 4000 }]);
    assert.deepEqual(ranges(publisher), [[3, 4]]);
    assert.deepEqual([publisher.first, publisher.highest], [2, 2]);
  });

  it('closes the gap of the run that is taken up, if it had been missing there', () => {
    const publisher = after(1, 2, 5, 9, 2, 4, 3, 10);
    assert.deepEqual(ranges(publisher), [[6, 8]]);
    assert.deepEqual([publisher.outOfOrder, publisher.repeated, publisher.restartCount], [2, 1, 0]);
  });

  it('after a restart that is in doubt itself is a repeat all the same', () => {
    const publisher = after(...count(1, 100), ...count(1, 50), 20, 51);
    assert.deepEqual(verdict(publisher), { missing: 0, repeated: 1, restartCount: 1 });
    assert.deepEqual([publisher.first, publisher.highest], [1, 51]);
  });
});

describe('a publisher that begins anew', () => {
  it('has proved it when it has gone through all of the run before', () => {
    const publisher = after(...count(1, 100), ...count(1, 59), ...count(70, 101));
    assert.deepEqual(verdict(publisher), { missing: 10, repeated: 0, restartCount: 1 });
    assert.deepEqual([publisher.first, publisher.highest], [1, 101]);
  });

  it('has proved it after as many events as a request holds', () => {
    const long = count(1, DOUBTFUL_EVENTS_MAX + 100);
    const anew = (events: number) => after(...long, ...count(1, events), long.at(-1)! + 1);
    const seenThrough = { missing: 0, repeated: DOUBTFUL_EVENTS_MAX, restartCount: 0 };
    assert.deepEqual(verdict(anew(DOUBTFUL_EVENTS_MAX)), seenThrough);
    const { missing, restartCount } = anew(DOUBTFUL_EVENTS_MAX + 1);
    assert.deepEqual([missing, restartCount], [99, 1]);
  });

  it('again and again leaves only the newest restarts in doubt', () => {
    const starts = count(1, 40).map((n) => 1_000_000 - n * 10_000);
    const restarted = after(1_000_000, ...starts);
    assert.deepEqual(verdict(restarted), { missing: 0, repeated: 0, restartCount: 40 });
    const certain = 40 - DOUBTFUL_RESTARTS_MAX;
    assert.deepEqual(verdict(after(1_000_000, ...starts, 1_000_001)), {
      missing: certain * 10_000,
      repeated: DOUBTFUL_RESTARTS_MAX,
      restartCount: certain,
    });
  });
});

/** What has been taken since a restart in doubt, or since the beginning: runs, the last of them under way. */
interface ModelCourse {
  runs: Set<number>[];
  /** Every number that it took, in their order. */
  readonly taken: number[];
}

/** The same rules over sets of numbers. */
class Model {
  readonly courses: ModelCourse[] = [];
  repeated = 0;

  get runs(): Set<number>[] {
    return this.courses.flatMap(({ runs }) => runs);
  }

  take(sequence: number): void {
    if (this.courses.length === 0) this.#begin(sequence);
    else {
      this.#endDoubts(sequence);
      this.#place(sequence);
    }
  }

  #endDoubts(sequence: number): void {
    for (let before = this.courses.at(-2); before !== undefined; before = this.courses.at(-2)) {
      const run = before.runs.at(-1)!;
      if (sequence < Math.max(...run)) return;
      const since = this.courses.pop()!;
      const latest = new Set(since.runs.at(-1)).add(sequence);
      const covers = Math.min(...latest) <= Math.min(...run) && latest.size > unseen(latest).length;
      before.taken.push(...since.taken);
      if (sequence === Math.max(...run) && covers) before.runs.push(...since.runs);
      else for (const number of since.taken) if (unseen(run).includes(number)) run.add(number);
    }
  }

  #place(sequence: number): void {
    const underWay = this.courses.at(-1)!;
    const run = underWay.runs.at(-1)!;
    const [first, highest] = [Math.min(...run), Math.max(...run)];
    if (sequence > highest) return add(underWay, run, sequence);
    for (const course of this.courses.toReversed()) {
      const lacking = course.runs.findLast((one) => unseen(one).includes(sequence));
      if (lacking !== undefined) return add(course, lacking, sequence);
    }
    if (sequence < first && highest - sequence <= REORDER_MAX) return add(underWay, run, sequence);
    if (sequence === highest) underWay.taken.push(sequence);
    else this.#begin(sequence);
  }

  #begin(sequence: number): void {
    this.courses.push({ runs: [new Set([sequence])], taken: [sequence] });
  }
}

function add(course: ModelCourse, run: Set<number>, sequence: number): void {
  run.add(sequence);
  course.taken.push(sequence);
}

function unseen(run: Set<number>): number[] {
  const [first, highest] = [Math.min(...run), Math.max(...run)];
  return Array.from({ length: highest - first + 1 }, (_, i) => first + i).filter((n) => !run.has(n));
}

describe('any order of arrivals', () => {
  it('leaves missing exactly the numbers between first and highest that were not seen, in one run', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 60 });
    const arrivals = numbers.chain((some) =>
      fc.shuffledSubarray(some, { minLength: some.length, maxLength: some.length }),
    );
    fc.assert(
      fc.property(arrivals, (sequences) => {
        const publisher = after(...sequences);
        const listed = publisher
          .gaps()
          .flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
        assert.deepEqual(listed, unseen(new Set(sequences)));
        assert.deepEqual(
          [publisher.first, publisher.highest, publisher.missing, publisher.restartCount],
          [Math.min(...sequences), Math.max(...sequences), listed.length, 0],
        );
      }),
    );
  });

  it('with restarts and leaps is judged as over sets of numbers', () => {
    const sequence = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 990, max: 1015 }));
    fc.assert(
      fc.property(fc.array(sequence, { minLength: 1, maxLength: 40 }), (sequences) => {
        const model = new Model();
        for (const one of sequences) model.take(one);
        const publisher = after(...sequences);
        const listed = publisher.gaps().flatMap(({ from, to }) => count(from, to));
        assert.deepEqual(listed, model.runs.flatMap(unseen));
        const seen = model.runs.reduce((sum, { size }) => sum + size, 0);
        assert.deepEqual(
          [publisher.restartCount, publisher.repeated],
          [model.runs.length - 1, sequences.length - seen],
        );
      }),
    );
  });

  it('misses nothing that was stored, whatever comes again between, once the publisher goes on', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant({ kind: 'next' as const }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'lose' as const }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('again' as const),
          from: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
          length: fc.integer({ min: 1, max: 5 }),
        }),
      },
    );
    const first = fc.constantFrom(0, 1, 5000);
    fc.assert(
      fc.property(first, fc.array(step, { maxLength: 60, size: 'max' }), (start, steps) => {
        const stored = count(start, start + 9);
        const arrivals = [...stored];
        const lost: number[] = [];
        let next = start + 10;
        for (const one of steps) {
          if (one.kind === 'lose') lost.push(next++);
          else if (one.kind === 'next') arrivals.push(stored[stored.push(next++) - 1]!);
          else {
            // Never from the very first: that is how one begins who counts anew.
            const at = 1 + Math.floor(one.from * (stored.length - 1));
            arrivals.push(...stored.slice(at, at + one.length));
          }
        }
        const publisher = after(...arrivals, next);
        const listed = publisher.gaps().flatMap(({ from, to }) => count(from, to));
        assert.deepEqual(listed, lost);
        const repeated = arrivals.length - stored.length;
        assert.deepEqual(verdict(publisher), { missing: lost.length, repeated, restartCount: 0 });
      }),
    );
  });
});
