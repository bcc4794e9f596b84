import { type Fault, type FaultList, MEND, PositionRanges, positions } from './fault.ts';
import type { Disagreement, KeyTable } from './key-table.ts';
import type { LoggedKeys } from './logged-keys.ts';
import type { SealedKeys } from './sealed-keys.ts';

interface Parts {
  readonly sealed: SealedKeys;
  readonly logged: LoggedKeys;
  readonly faults: FaultList;
  /** Below it, events may be retired, and their keys are kept. */
  readonly retiredBefore: number;
  /** Below it, keys may be forgotten, and their events are kept. */
  readonly forgettableBefore: number;
}

/** Tells which disagreements of events and key index are faults, as ranges of positions. */
export class Disagreements {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  tell(table: KeyTable): void {
    const ranges = new Map<string, PositionRanges>();
    table.disagreements((position, disagreement) => {
      const fault = this.#judge(position, disagreement);
      if (fault === undefined) return;
      const kind = `${fault.where}: ${fault.what}`;
      let range = ranges.get(kind);
      if (range === undefined) {
        range = new PositionRanges((first, last) => {
          this.#parts.faults.add(fault.what, {
            ...fault,
            where: `${fault.where}, ${positions(first, last)}`,
          });
        });
        ranges.set(kind, range);
      }
      range.add(position);
    });
    for (const range of ranges.values()) range.end();
  }

  /** What is wrong; undefined when all is as it should be, or has been told already. */
  #judge(position: number, disagreement: Disagreement): Fault | undefined {
    const { sealed, logged, retiredBefore, forgettableBefore } = this.#parts;
    const isSealed = position <= sealed.through;
    const file = sealed.nameAt(position);
    const inIndex = !isSealed
      ? 'sekali.db, log of keys'
      : file === undefined
        ? 'index of keys'
        : `keys/${file}`;
    const isTold = isSealed ? sealed.isDamagedAt(position) : !logged.isWhole;
    const mayBeRetired = position < retiredBefore;
    const mayLackKey = position < forgettableBefore || isTold;
    if (disagreement === 'differs') {
      // A row of the log of keys that is not what was written is derived from the events again.
      const mend = isSealed ? MEND.restore : MEND.start;
      return faultOf(inIndex, 'the index has other keys or contents than the events', mend);
    }
    if (disagreement === 'second entry') {
      return faultOf(inIndex, 'the index has the position more than once', MEND.restore);
    }
    if (disagreement === 'only event') {
      if (mayLackKey) return undefined;
      return faultOf(inIndex, 'the index lacks the keys of events', isSealed ? MEND.restore : MEND.start);
    }
    if (!mayBeRetired) {
      const what =
        disagreement === 'only entry'
          ? 'the index has keys whose events are missing'
          : 'the events are missing, and so are their keys';
      return faultOf('sekali.db', what, MEND.restore);
    }
    if (disagreement === 'only entry' || mayLackKey) return undefined;
    return faultOf(inIndex, 'the index lacks the keys of retired events', MEND.putBack);
  }
}

function faultOf(where: string, what: string, mend: string): Fault {
  return { where, what, mend };
}
