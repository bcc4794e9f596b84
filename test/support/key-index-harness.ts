import { SekaliError } from '../../src/errors.ts';
import type { Fingerprint } from '../../src/event.ts';
import type { Generation, Step } from '../../src/store/dedup/generation.ts';
import { GenerationIndex, type GenerationIndexOptions } from '../../src/store/dedup/generation-index.ts';
import type { Key } from '../../src/store/dedup/key.ts';
import type { KeyedEntry } from '../../src/store/dedup/scan-generation.ts';

export const OWNER = Uint8Array.from({ length: 16 }, (_, i) => i);

/** A key by number: evenly spread, as a keyed hash would make it. */
export function keyOf(number: number): Key {
  let word = number | 0;
  const next = () => {
    word = (word + 0x9e3779b9) | 0;
    const mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) ^ (mixed >>> 16);
  };
  return { a: next(), b: next(), c: next(), d: next() };
}

export function nameOf({ a, b, c, d }: Key): string {
  return `${a} ${b} ${c} ${d}`;
}

type HarnessOptions = Pick<GenerationIndexOptions, 'dir'> &
  Partial<Omit<GenerationIndexOptions, 'readLog'>> & { log?: readonly KeyedEntry[] };

/** What a store is to the index: the log, the manifest, and the transactions that change both. */
export class KeyIndexHarness implements AsyncDisposable {
  readonly log: KeyedEntry[];
  readonly newest = new Map<string, KeyedEntry>();
  readonly progress: string[] = [];
  manifest: Generation[];
  sealedThrough: number;
  /** Positions up to this one are gone from the log. */
  retiredThrough = 0;
  index: GenerationIndex;
  readonly #options: Omit<GenerationIndexOptions, 'generations' | 'readLog'>;

  constructor({ generations = [], log = [], ...options }: HarnessOptions) {
    this.manifest = [...generations];
    this.log = [...log];
    this.sealedThrough = Math.max(0, ...generations.map(({ lastPosition }) => lastPosition));
    this.#options = {
      hotKeys: 16,
      mergeFanIn: 3,
      owner: OWNER,
      onProgress: (text) => this.progress.push(text),
      ...options,
    };
    this.index = this.#open();
  }

  /** The next position, for a key whether it is known or not. */
  add(key: Key, windowClass = 0, content: Fingerprint = { high: this.log.length, low: ~this.log.length }) {
    const entry = { key, position: this.log.length + 1, content, windowClass };
    this.log.push(entry);
    this.newest.set(nameOf(key), entry);
    this.index.add(key, entry.position, content, windowClass);
  }

  addMany(first: number, count: number, windowClass = 0): void {
    for (let i = first; i < first + count; i++) {
      this.add(keyOf(i), windowClass);
      this.index.committed();
    }
  }

  /** Writes the step that is ready, if there is one, and adopts it. */
  step(): Step | undefined {
    const step = this.index.readyStep();
    if (step === undefined) return undefined;
    this.write(step);
    this.index.adopt(step);
    return step;
  }

  write(step: Step): void {
    const removed = new Set(step.remove.map(({ name }) => name));
    this.manifest = [...this.manifest.filter(({ name }) => !removed.has(name)), ...step.add];
    this.sealedThrough = Math.max(this.sealedThrough, step.sealedThrough ?? 0);
  }

  /** Until there is nothing left to do. */
  async settle(): Promise<void> {
    do await this.index.settled();
    while (this.step() !== undefined);
  }

  /** Closes, and opens what the manifest and the log have. */
  async reopen(): Promise<void> {
    await this.index.close();
    this.index = this.#open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.index.close();
  }

  /** What the index finds, copied. */
  find(key: Key): KeyedEntry | undefined {
    const found = this.index.find(key);
    return found && { ...found, key, content: { ...found.content } };
  }

  #open(): GenerationIndex {
    const index = GenerationIndex.open({
      ...this.#options,
      generations: this.manifest,
      readLog: (first, last) => this.#readLog(first, last),
    });
    for (const { key, position, content, windowClass } of this.log.slice(this.sealedThrough)) {
      index.add(key, position, content, windowClass);
      index.committed();
    }
    return index;
  }

  *#readLog(first: number, last: number): Iterable<KeyedEntry> {
    if (first <= this.retiredThrough)
      throw new SekaliError('store_damaged', `position ${first} has been retired`);
    yield* this.log.slice(first - 1, last);
  }
}
