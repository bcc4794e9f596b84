import { reusedEntry } from './entry.ts';
import { type ForgetBefore, Forgetter } from './forget.ts';
import type { Generation } from './generation.ts';
import type { GenerationFile } from './generation-file.ts';
import type { Key } from './key.ts';
import { type KeyFilter, lastHolding } from './key-filter.ts';
import type { KeyEntry } from './key-index.ts';

/** The generations that keys are looked up in. */
export class GenerationSet {
  readonly #entry = reusedEntry();
  /** Oldest first; the filters beside them, so that a look-up goes through these alone. */
  #files: readonly GenerationFile[] = [];
  #filters: readonly KeyFilter[] = [];

  constructor(files: readonly GenerationFile[]) {
    this.#use(files);
  }

  get generations(): Generation[] {
    return this.#files.map(({ generation }) => generation);
  }

  get size(): number {
    return this.#files.reduce((sum, { generation }) => sum + generation.keys, 0);
  }

  /** Memory held. */
  get bytes(): number {
    return this.#files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** @throws SekaliError `store_damaged`: a page is not what was written */
  find(key: Key): KeyEntry | undefined {
    let i = lastHolding(this.#filters, this.#files.length - 1, key);
    while (i >= 0) {
      const entry = this.#files[i]!.find(key, this.#entry);
      if (entry !== undefined) return entry;
      i = lastHolding(this.#filters, i - 1, key);
    }
    return undefined;
  }

  /** Those that hold nothing but what can be forgotten. */
  forgotten(forgetBefore: ForgetBefore): Generation[] {
    const forgetter = new Forgetter(forgetBefore);
    return this.#files.filter((file) => file.isForgotten(forgetter)).map(({ generation }) => generation);
  }

  /** Takes files in, and closes those that are not looked up any more. */
  replace(added: readonly GenerationFile[], removedNames: ReadonlySet<string>): void {
    const isRemoved = ({ generation }: GenerationFile) => removedNames.has(generation.name);
    const removed = this.#files.filter(isRemoved);
    this.#use([...this.#files.filter((file) => !isRemoved(file)), ...added]);
    for (const file of removed) file.close();
  }

  close(): void {
    for (const file of this.#files) file.close();
    this.#use([]);
  }

  #use(files: readonly GenerationFile[]): void {
    this.#files = files.toSorted(
      (one, other) => one.generation.firstPosition - other.generation.firstPosition,
    );
    this.#filters = this.#files.map(({ filter }) => filter);
  }
}
