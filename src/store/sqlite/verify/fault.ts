/** What is wrong, where, and what mends it. */
export interface Fault {
  /** A file and where in it, or the positions of events. */
  readonly where: string;
  readonly what: string;
  readonly mend: string;
}

/** What mends a fault. */
export const MEND = {
  /** The key index is derived: whatever is lost of it comes back from the events. */
  start: 'start the server: what is damaged of the index is built anew from the log',
  restore: 'restore a backup',
  /** Nothing of the events depends on it. */
  removeSubscriptions: 'restore a backup, or remove the file, and all subscriptions with it: events stay',
  /** Of a generation some of whose events are retired, so that nothing but its file knows their keys. */
  putBack: 'put the file back from a backup, or restore one',
} as const;

/** Faults of one kind that are told; beyond that they are counted. */
const TOLD_MAX = 50;

/** Takes faults as they are found; tells each, but not a million of the same kind. */
export class FaultList {
  readonly #tell: (fault: Fault) => void;
  readonly #counts = new Map<string, number>();
  count = 0;

  constructor(tell: (fault: Fault) => void) {
    this.#tell = tell;
  }

  /** @param kind what the fault is of, for the bound */
  add(kind: string, fault: Fault): void {
    const told = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, told + 1);
    this.count++;
    if (told < TOLD_MAX) this.#tell(fault);
  }

  /** How many faults of each kind were only counted. */
  untold(): { kind: string; count: number }[] {
    return [...this.#counts]
      .map(([kind, count]) => ({ kind, count: count - TOLD_MAX }))
      .filter(({ count }) => count > 0);
  }
}

export function positions(first: number, last: number): string {
  return first === last ? `position ${first}` : `positions ${first} to ${last}`;
}

/** Puts positions that come in ascending order together to ranges, and hands each over once it has ended. */
export class PositionRanges {
  readonly #ended: (first: number, last: number) => void;
  #first = 0;
  #last = 0;

  constructor(ended: (first: number, last: number) => void) {
    this.#ended = ended;
  }

  add(position: number): void {
    if (this.#first !== 0 && position === this.#last + 1) {
      this.#last = position;
      return;
    }
    this.end();
    this.#first = position;
    this.#last = position;
  }

  end(): void {
    if (this.#first !== 0) this.#ended(this.#first, this.#last);
    this.#first = 0;
  }
}
