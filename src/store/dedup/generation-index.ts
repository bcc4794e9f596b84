/**
 * The dedup index: every key ever stored, with the newest of them in memory and the rest in sorted files.
 *
 * What there is:
 *
 *     hot          the newest keys, in memory
 *     frozen       a hot table that is full, and is being sealed; still looked up in memory
 *     generation   a sealed, sorted file that never changes. Its filter is in memory: a key that is nowhere costs no read, one
 *                  that is somewhere one read
 *     manifest     the list of generations that count. It lies in the store's database, not here
 *     step         a change of the manifest that is ready to be written
 *
 * What a key costs, at 50 million of them: 0.35 µs to find that it is new, 3 µs to find one that is there (its page being in
 * the system's cache), 0.4 µs of the thread's time to seal and merge it; 2.1 bytes of memory, 34.4 of disk.
 *
 * How a key moves on:
 *
 *     add ──▶ hot ──committed──▶ frozen ──thread seals──▶ step ──store writes it──▶ adopt ──▶ generation
 *                                                                                              │
 *                                    adopt ◀──store writes it── step ◀──thread merges── several of them
 *
 * The log of keys, in the store's database, is the truth; this is derived from it. The manifest, which changes in a
 * transaction of that database, says up to which position the log is sealed, and what lies above is added to `hot` at each
 * start. That is why a crash is sound wherever it comes:
 *
 * - before a file has been renamed: a temporary file remains, which is removed at the next start;
 * - after that, and before the step is written: a complete file remains that the manifest does not name. It is removed; a
 *   seal's keys are still above the sealed position and come from the log, a merge's inputs are still named and still there;
 * - after the step is written, and before the files it replaced are removed: they are no longer named, and removed at the
 *   next start.
 *
 * A file is on the disk, directory entry included, before its step is ready; it is removed only after the step that
 * replaces it has been committed. So what the manifest names is always there, unless the disk or somebody's hand took it:
 * that is found by checksums and mended from the log (open-generations.ts).
 */

import { SekaliError } from '../../errors.ts';
import type { Fingerprint } from '../../event.ts';
import { failpoint } from '../../failpoint.ts';
import { messageOf } from '../../message-of.ts';
import { Background } from './background.ts';
import type { ForgetBefore } from './forget.ts';
import { asideName, type Generation, type LoadedGeneration, type Step } from './generation.ts';
import { GenerationFile } from './generation-file.ts';
import { GenerationSet } from './generation-set.ts';
import { HotTables } from './hot-tables.ts';
import type { Key } from './key.ts';
import type { KeyEntry, KeyIndex } from './key-index.ts';
import { openGenerations } from './open-generations.ts';
import { type Change, PendingSteps } from './pending-steps.ts';
import { planMerge } from './plan-merge.ts';
import type { ReadLog } from './rebuild-generation.ts';
import type { Outcome } from './seal-thread.ts';

/** A little below 2^20, that the last transaction of a hot table finds room without doubling it. */
const HOT_KEYS = 1_000_000;

/**
 * Generations that are merged at a time. Up to 50 million keys, four at a time cost the thread 0.4 µs a key for sealing and
 * merging, and leave five generations; eight at a time cost 0.3 µs and leave eight, which every new key pays for on the
 * thread that commits.
 */
const MERGE_FAN_IN = 4;

/** Hot tables that may wait for the thread, 40 MB each. */
const WAITING_MAX = 4;

export interface GenerationIndexOptions {
  /** Of the generations alone; it is made if it is missing. */
  dir: string;
  /** 16 bytes that tell this data directory from every other. */
  owner: Uint8Array;
  /** The manifest. */
  generations: readonly Generation[];
  /** Keys that the hot table is frozen at; up to 2^20. */
  hotKeys?: number;
  mergeFanIn?: number;
  readLog: ReadLog;
  onProgress?: (message: string) => void;
  /** A step is ready, or the background has failed: for a store that would otherwise not look. */
  onReady?: () => void;
}

export interface GenerationIndexStats {
  /** Keys held; one that is known twice counts twice. */
  size: number;
  /** Memory held, in bytes. */
  bytes: number;
  generations: number;
  sealedKeys: number;
  /** Memory that they take: filters and directories. */
  sealedBytes: number;
  /** Hot tables that wait for being sealed, or for their step to be adopted. */
  frozen: number;
}

export class GenerationIndex implements KeyIndex {
  readonly #options: GenerationIndexOptions;
  readonly #hotKeys: number;
  readonly #background: Background;
  readonly #tables: HotTables;
  readonly #generations: GenerationSet;
  readonly #steps = new PendingSteps();
  #forgetBefore: ForgetBefore = [];
  #merging: readonly Generation[] | undefined;
  #failure: SekaliError | undefined;
  #room: PromiseWithResolvers<void> | undefined;

  private constructor(options: GenerationIndexOptions) {
    this.#options = options;
    this.#hotKeys = options.hotKeys ?? HOT_KEYS;
    this.#tables = new HotTables(this.#hotKeys);
    const { files, step } = openGenerations({ ...options, hotKeys: this.#hotKeys });
    this.#generations = new GenerationSet(files);
    if (step !== undefined) this.#steps.push({ ...step, files: [] });
    const { dir, owner } = options;
    this.#background = new Background({ dir, owner }, (outcome) => this.#take(outcome));
    this.#startMerge();
  }

  /**
   * Opens the generations of the manifest. What had to be rebuilt for that is the first step that is ready. The keys of the
   * log above the last sealed position are for the caller to add, with `committed` in between.
   *
   * Only one index at a time works on a directory: an earlier one has to be closed, and its `close` awaited.
   *
   * @throws SekaliError `store_damaged`: a file is lost, and the log cannot make up for it
   */
  static open(options: GenerationIndexOptions): GenerationIndex {
    return new GenerationIndex(options);
  }

  get size(): number {
    return this.#tables.size + this.#generations.size;
  }

  get bytes(): number {
    return this.#tables.bytes + this.#generations.bytes;
  }

  stats(): GenerationIndexStats {
    return {
      size: this.size,
      bytes: this.bytes,
      generations: this.#generations.generations.length,
      sealedKeys: this.#generations.size,
      sealedBytes: this.#generations.bytes,
      frozen: this.#tables.frozenCount,
    };
  }

  /** @throws SekaliError `store_damaged`: a page is not what was written. The next open rebuilds its file */
  find(key: Key): Readonly<KeyEntry> | undefined {
    return this.#tables.find(key) ?? this.#generations.find(key);
  }

  add(key: Key, position: number, content: Fingerprint, windowClass = 0): void {
    this.#tables.add(key, position, content, windowClass);
  }

  /** All that was added has been committed. */
  committed(): void {
    if (this.#tables.hotCount < this.#hotKeys || this.#failure !== undefined) return;
    const { words, count, firstPosition, lastPosition } = this.#tables.freeze();
    const forgetBefore = this.#forgetBefore;
    this.#background.send({ kind: 'seal', words, count, firstPosition, lastPosition, forgetBefore });
  }

  /**
   * The step to be written with the next transaction, if there is one. The same until it is adopted.
   *
   * @throws SekaliError when the background has failed: the index is to be closed and opened again
   */
  readyStep(): Step | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#steps.ready;
  }

  /** The transaction that wrote the step has been committed. */
  adopt(step: Step): void {
    const changes = this.#steps.take(step);
    const removed = new Set(step.remove.map(({ name }) => name));
    this.#generations.replace(
      changes.flatMap(({ files }) => files),
      removed,
    );
    for (const { table } of changes) if (table !== undefined) this.#tables.release(table);
    failpoint('step.adopted');
    if (removed.size > 0) {
      const names = [...removed].flatMap((name) => [name, asideName(name)]);
      this.#background.send({ kind: 'remove', names });
    }
    this.#startMerge();
  }

  /**
   * Takes note of what can be forgotten. Sealing and merging leave it out from now on; generations that have nothing else
   * are dropped as a whole, with a step.
   */
  dropForgotten(forgetBefore: ForgetBefore): void {
    this.#forgetBefore = forgetBefore;
    const pending = this.#steps.changes.flatMap(({ add, remove }) => [...add, ...remove]);
    const busy = new Set([...pending, ...(this.#merging ?? [])].map(({ name }) => name));
    const remove = this.#generations.forgotten(forgetBefore).filter(({ name }) => !busy.has(name));
    if (remove.length > 0) this.#ready({ add: [], remove, files: [] });
  }

  /** Resolves, or rejects, when fewer than four tables wait for being sealed; undefined when that is so now. */
  room(): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#tables.waitingCount < WAITING_MAX) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Resolves when the thread has nothing to do until a step is adopted or a table frozen. */
  settled(): Promise<void> {
    return this.#background.idle();
  }

  /** What the thread is doing is broken off, and done again after the next open. */
  async close(): Promise<void> {
    await this.#background.close();
    this.#failure ??= new SekaliError('store_unavailable', 'the index of keys has been closed');
    this.#room?.reject(this.#failure);
    this.#steps.close();
    this.#generations.close();
  }

  #take({ kind, made, failure }: Outcome): void {
    try {
      if (failure !== undefined) this.#takeFailure(kind, failure);
      else if (kind === 'seal') this.#takeSealed(this.#openMade(made));
      else if (kind === 'merge') this.#takeMerged(this.#openMade(made));
    } catch (error) {
      this.#fail(unwritten(messageOf(error)));
    }
  }

  #openMade(made: LoadedGeneration | undefined): GenerationFile[] {
    return made === undefined ? [] : [new GenerationFile(this.#options.dir, made)];
  }

  #takeSealed(files: GenerationFile[]): void {
    const table = this.#tables.noteSealed();
    this.#room?.resolve();
    this.#room = undefined;
    const add = files.map(({ generation }) => generation);
    this.#ready({ add, remove: [], files, table, sealedThrough: table.lastPosition });
  }

  #takeMerged(files: GenerationFile[]): void {
    const remove = this.#merging!;
    this.#merging = undefined;
    this.#ready({ add: files.map(({ generation }) => generation), remove, files });
  }

  /** What cannot be merged or removed for want of space or of permission can wait; a table that cannot be sealed cannot. */
  #takeFailure(kind: Outcome['kind'], { code, detail }: NonNullable<Outcome['failure']>): void {
    if (kind === 'merge') this.#merging = undefined;
    if (code === 'store_damaged') {
      this.#fail(new SekaliError('store_damaged', detail));
    } else if (kind === 'seal') {
      this.#fail(unwritten(detail));
    } else {
      this.#options.onProgress?.(
        `could not ${kind} generations of keys, which is tried again later: ${detail}`,
      );
    }
  }

  #fail(failure: SekaliError): void {
    this.#failure ??= failure;
    this.#room?.reject(this.#failure);
    this.#room = undefined;
    this.#options.onReady?.();
  }

  #ready(change: Change): void {
    this.#steps.push(change);
    this.#options.onReady?.();
  }

  #startMerge(): void {
    if (this.#merging !== undefined || this.#steps.removed.length > 0) return;
    const inputs = planMerge(this.#generations.generations, {
      hotKeys: this.#hotKeys,
      fanIn: this.#options.mergeFanIn ?? MERGE_FAN_IN,
    });
    if (inputs === undefined) return;
    this.#merging = inputs;
    this.#background.send({ kind: 'merge', inputs, forgetBefore: this.#forgetBefore });
  }
}

function unwritten(detail: string): SekaliError {
  return new SekaliError('store_unavailable', `the index of keys could not be written: ${detail}`);
}
