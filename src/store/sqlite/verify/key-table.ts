/**
 * Holds events against the key index, both ways, in memory that does not grow with the store.
 *
 * Positions are gone through in spans of {@link SPAN}. Of each span the events are read first, and for each of them 32 bits
 * of key and content are noted under its position. Then all entries of the index that are of the span are read, in whatever
 * order they come, and each is held against what is noted there. What is left at the end has no entry. So each event is
 * read once, and each entry once for each span that its file reaches into.
 *
 * 32 bits are enough: an entry that is wrong by chance or damage goes unnoticed once in four thousand million, and a change
 * within a single word of it never (each step below gives different results for different words). Sums over many entries
 * would need less memory, but could not say which entry is wrong, nor be told which of them are of retired events.
 */

/** Positions that are held in memory at once: 128 MiB. */
export const SPAN = 2 ** 25;

/** Nothing has been seen of a position. */
const NOTHING = 0;
/** Its event and its entry agree. */
const AGREES = 1;
/** Its event could not be read: any entry will do. */
const UNREADABLE = 2;
const DIFFERS = 3;
const SECOND = 4;
const ONLY_ENTRY = 5;
const FIRST_FINGERPRINT = 6;

/** What does not fit about a position. */
export type Disagreement = 'differs' | 'second entry' | 'only entry' | 'only event' | 'nothing';

export class KeyTable {
  readonly first: number;
  readonly last: number;
  readonly #noted: Uint32Array;

  constructor(first: number, last: number) {
    this.first = first;
    this.last = last;
    this.#noted = new Uint32Array(last - first + 1);
  }

  has(position: number): boolean {
    return position >= this.first && position <= this.last;
  }

  /** Notes the event at a position of this span; false when there is one already. */
  note(position: number, fingerprint: number): boolean {
    const at = position - this.first;
    if (this.#noted[at] !== NOTHING) return false;
    this.#noted[at] = fingerprint;
    return true;
  }

  /** Events of this span could not be read: what the index says of them is not judged. */
  noteUnreadable(first: number, last: number): void {
    this.#noted.fill(UNREADABLE, Math.max(first - this.first, 0), Math.max(last + 1 - this.first, 0));
  }

  /** Takes an entry of the index, of a position of this span. */
  take(position: number, fingerprint: number): void {
    const at = position - this.first;
    const noted = this.#noted[at]!;
    if (noted === fingerprint) this.#noted[at] = AGREES;
    else if (noted >= FIRST_FINGERPRINT) this.#noted[at] = DIFFERS;
    else if (noted === NOTHING) this.#noted[at] = ONLY_ENTRY;
    else if (noted !== UNREADABLE) this.#noted[at] = SECOND;
  }

  /** Once all entries have been taken: the positions of which they and the events do not agree, in ascending order. */
  disagreements(found: (position: number, what: Disagreement) => void): void {
    const noted = this.#noted;
    for (let at = 0; at < noted.length; at++) {
      const value = noted[at]!;
      if (value !== AGREES && value !== UNREADABLE) found(this.first + at, NAMES[value] ?? 'only event');
    }
  }
}

const NAMES: Record<number, Disagreement> = {
  [NOTHING]: 'nothing',
  [DIFFERS]: 'differs',
  [SECOND]: 'second entry',
  [ONLY_ENTRY]: 'only entry',
};

/** 32 bits of a key and a content; never one of the marks above. */
export function fingerprint32(a: number, b: number, c: number, d: number, high: number, low: number): number {
  let hash = stir(a);
  hash = stir(hash ^ b);
  hash = stir(hash ^ c);
  hash = stir(hash ^ d);
  hash = stir(hash ^ high);
  hash = stir(hash ^ low) >>> 0;
  return hash < FIRST_FINGERPRINT ? hash + FIRST_FINGERPRINT : hash;
}

function stir(word: number): number {
  const product = Math.imul(word, 0x9e3779b1);
  return product ^ (product >>> 15);
}
