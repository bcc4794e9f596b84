import { closeSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { SekaliError } from '../../../errors.ts';
import { messageOf } from '../../../message-of.ts';
import { positionAt } from '../../dedup/entry.ts';
import type { Generation } from '../../dedup/generation.ts';
import { type CheckedFile, openChecked } from '../../dedup/generation-load.ts';
import { readMeta } from '../meta.ts';
import type { FileOpener, Snapshot } from '../snapshot.ts';
import { type FaultList, MEND, positions } from './fault.ts';
import { retiredBefore } from './forgettable.ts';
import { visitGeneration } from './generation-entries.ts';
import { fingerprint32, type KeyTable } from './key-table.ts';

/** Opens a generation with all but its pages checked. */
export function openerFor(db: DatabaseSync): FileOpener<CheckedFile> {
  const { dataId } = readMeta(db);
  return { open: (path) => openChecked(path, dataId), close: ({ fd }) => closeSync(fd) };
}

interface Sealed {
  readonly generation: Generation;
  readonly file: CheckedFile | undefined;
  /** Some of its entries could not be read. */
  isDamaged: boolean;
  /** Its pages have been checked once, their faults told. */
  isRead: boolean;
}

/** The generations of a snapshot. */
export class SealedKeys {
  readonly #snapshot: Snapshot<CheckedFile>;
  readonly #through: number;
  readonly #faults: FaultList;
  readonly #sealed: Sealed[] = [];
  readonly #retiredBefore: number;

  constructor(snapshot: Snapshot<CheckedFile>, through: number, faults: FaultList) {
    this.#snapshot = snapshot;
    this.#through = through;
    this.#faults = faults;
    this.#retiredBefore = retiredBefore(snapshot.db);
    for (const { generation, file, failure } of snapshot.generations) {
      const isOther = file !== undefined && !isSame(generation, file.generation);
      if (failure !== undefined) this.#tellFailure(generation, failure);
      if (isOther) this.#tell(generation, 0, 'it is not what the manifest says');
      this.#sealed.push({
        generation,
        file: isOther ? undefined : file,
        isDamaged: file === undefined || isOther,
        isRead: false,
      });
    }
  }

  /** Entries in all files. */
  get keys(): number {
    return this.#sealed.reduce((sum, { generation }) => sum + generation.keys, 0);
  }

  get through(): number {
    return this.#through;
  }

  /** Checks that the files follow one another up to where is sealed, and looks at those that nobody names. */
  checkManifest(note: (text: string) => void, lastPosition: number): void {
    let last = 0;
    for (const { generation } of this.#sealed) {
      const { name, firstPosition, lastPosition: end } = generation;
      const where = `sekali.db, manifest of keys, ${name}`;
      if (firstPosition <= last || end < firstPosition) {
        const what = `it has ${positions(firstPosition, end)}, and the one before ends at ${last}`;
        this.#faults.add('manifest', { where, what, mend: MEND.restore });
      }
      if (end > this.#through) {
        const what = `it ends at position ${end}, and keys are said to be sealed up to ${this.#through}`;
        this.#faults.add('manifest', { where, what, mend: MEND.restore });
      }
      last = Math.max(last, end);
    }
    for (const name of this.#snapshot.orphans) this.#checkOrphan(name, note, lastPosition);
  }

  /** The name of the generation that covers a position; undefined when none does. */
  nameAt(position: number): string | undefined {
    return this.#at(position)?.generation.name;
  }

  /** Whether an entry may have been among those that could not be read, which has been told. */
  isDamagedAt(position: number): boolean {
    return this.#at(position)?.isDamaged ?? false;
  }

  /** Reads the files that reach into the span of a table, and takes their entries to it. */
  takeInto(table: KeyTable, onRead: (entries: number) => void): void {
    for (const sealed of this.#sealed) {
      const { generation, file } = sealed;
      if (
        file === undefined ||
        generation.lastPosition < table.first ||
        generation.firstPosition > table.last
      )
        continue;
      const isFirst = !sealed.isRead;
      sealed.isRead = true;
      visitGeneration(file, {
        entry(words, at) {
          const position = positionAt(words, at);
          if (table.has(position)) table.take(position, fingerprintAt(words, at));
        },
        fault: (offset, what) => {
          sealed.isDamaged = true;
          if (isFirst) this.#tell(generation, offset, what);
        },
        read: (entries) => {
          if (isFirst) onRead(entries);
        },
      });
    }
  }

  #at(position: number): Sealed | undefined {
    return this.#sealed.find(
      ({ generation }) => generation.firstPosition <= position && position <= generation.lastPosition,
    );
  }

  /** A file that a crash left is no fault. One of positions that the log does not have tells that the log has lost them. */
  #checkOrphan(name: string, note: (text: string) => void, lastPosition: number): void {
    const end = Number(/^[a-z]+-\d+-(\d+)-/.exec(name)?.[1] ?? 0);
    if (end > lastPosition) {
      this.#faults.add('orphan', {
        where: `keys/${name}`,
        what: `it has keys up to position ${end}, and the log ends at ${lastPosition}: sekali.db is older than keys/, or has lost commits`,
        mend: MEND.restore,
      });
      return;
    }
    note(`keys/${name} is named by no manifest: a server is at work on it, or the next start removes it`);
  }

  #tellFailure(generation: Generation, failure: unknown): void {
    const members: Record<string, unknown> = failure instanceof SekaliError ? failure.members : {};
    const { offset, reason } = members;
    this.#tell(
      generation,
      typeof offset === 'number' ? offset : 0,
      typeof reason === 'string' ? reason : messageOf(failure),
    );
  }

  #tell({ name, firstPosition, lastPosition }: Generation, offset: number, what: string): void {
    const where = `keys/${name}, byte ${offset}, keys of ${positions(firstPosition, lastPosition)}`;
    const mend = firstPosition < this.#retiredBefore ? MEND.putBack : MEND.start;
    this.#faults.add('generation', { where, what, mend });
  }
}

function isSame(one: Generation, other: Generation): boolean {
  return (
    one.firstPosition === other.firstPosition &&
    one.lastPosition === other.lastPosition &&
    one.keys === other.keys &&
    one.bytes === other.bytes
  );
}

function fingerprintAt(words: Int32Array, at: number): number {
  return fingerprint32(
    words[at]!,
    words[at + 1]!,
    words[at + 2]!,
    words[at + 3]!,
    words[at + 6]!,
    words[at + 7]!,
  );
}
