import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  EARLIER_GAPS_KEPT,
  GAPS_KEPT,
  PublisherSequence,
  REORDER_MAX,
  RESTARTS_KEPT,
} from './publisher-sequence.ts';

/** The publisher after arrivals at positions 1, 2, 3, … */
function after(...sequences: number[]): PublisherSequence {
  const arrivals = sequences.map((sequence, i) => ({ sequence, position: i + 1, processed_at: i * 1000 }));
  const publisher = new PublisherSequence(arrivals[0]!);
  for (const arrival of arrivals) publisher.take(arrival);
  return publisher;
}

function ranges(publisher: PublisherSequence): [number, number][] {
  return publisher.gaps().map(({ from, to }) => [from, to]);
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
    const publisher = after(...Array.from({ length: RESTARTS_KEPT + 51 }, () => 4));
    assert.equal(publisher.restartCount, RESTARTS_KEPT + 50);
    assert.equal(publisher.restarts.length, RESTARTS_KEPT);
    assert.equal(publisher.restarts.at(-1)?.position, RESTARTS_KEPT + 51);
  });

  it('forgets its lowest gaps beyond those that are kept, and counts their numbers', () => {
    const everyThird = Array.from({ length: GAPS_KEPT + 6 }, (_, i) => i * 3);
    const publisher = after(...everyThird);
    assert.deepEqual([publisher.gapCount, publisher.missing], [GAPS_KEPT, 2 * GAPS_KEPT]);
    assert.equal(publisher.forgotten, 5 * 2);
    assert.equal(publisher.gaps()[0]?.from, 5 * 3 + 1);
    const restarted = after(...everyThird, 0);
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
    assert.equal(after(0, max, 0, max).missing, max);
  });
});

/** The same rules over sets of numbers. */
class Model {
  readonly runs: Set<number>[] = [];
  outOfOrder = 0;

  take(sequence: number): void {
    const run = this.runs.at(-1);
    const highest = Math.max(...(run ?? []));
    if (run === undefined) this.runs.push(new Set([sequence]));
    else if (sequence > highest) run.add(sequence);
    else {
      const isLow = sequence < Math.min(...run) && highest - sequence <= REORDER_MAX;
      const taker = [run, ...this.runs.slice(0, -1).reverse()].find((one) => unseen(one).includes(sequence));
      this.#add(sequence, taker ?? (isLow ? run : undefined));
    }
  }

  #add(sequence: number, run: Set<number> | undefined): void {
    if (run === undefined) this.runs.push(new Set([sequence]));
    else {
      run.add(sequence);
      this.outOfOrder++;
    }
  }
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
        const listed = publisher
          .gaps()
          .flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
        assert.deepEqual(listed, model.runs.flatMap(unseen));
        assert.deepEqual(
          [publisher.restartCount, publisher.outOfOrder],
          [model.runs.length - 1, model.outOfOrder],
        );
      }),
    );
  });
});
