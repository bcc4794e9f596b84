import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { SekaliError } from '../../errors.ts';
import { threadUrl } from '../../thread-url.ts';
import type { CheckpointResult } from './checkpoint-thread.ts';

/**
 * Bytes of write-ahead log, roughly, after which folding begins. Over HTTP at half of the full rate, in batches of 100, the 99th
 * percentile of answers was 71 to 83 ms with 16 MiB, 33 to 49 ms with 64 MiB, 84 ms with 128 MiB: each folding ends with one
 * in the writer, which takes 7 to 30 ms whatever there is to fold; and more of it keeps the disk busy for longer.
 */
const BEGIN_BYTES = 64 * 1024 * 1024;

/** What has been written while the rest was folded, when it is so little that the writer folds it itself. */
const LAST_BYTES = 2 * 1024 * 1024;

/** Where the writer folds all of it itself: the thread does not keep up, or a reader holds on to an old state. */
const GIVE_UP_BYTES = 512 * 1024 * 1024;

/**
 * Folds the write-ahead log into the database on a thread of its own.
 *
 * In SQLite's own way, the commit that makes the log too long pays for all of it: writing 64 MiB again and syncing them held
 * up the answers of that group, and of all that waited behind it, for 145 ms at the 99th percentile. Here a thread folds
 * while commits go on. That alone would never let the log begin anew, for something is always behind; so when a round has
 * left less than {@link LAST_BYTES}, the writer folds that between two commits. Each round takes the less time the less
 * there was, so it comes to that.
 *
 * States: the thread is idle, or folding, or lost. A fold that fails (the disk) fails the next commit, after which the store
 * is opened anew and settles the log first. A thread that is lost (it could not open the database, or ended) fails nothing:
 * from then on the writer folds by itself where a round would have begun, which costs time and no event; should the disk be
 * why, that folding finds it.
 */
export class Checkpointer {
  readonly #db: DatabaseSync;
  readonly #worker: Worker;
  readonly #exited: Promise<unknown>;
  readonly #inline: StatementSync;
  /** Since the log began anew, and since the round that is running began. */
  #bytes = 0;
  #bytesBehind = 0;
  #thread: 'idle' | 'folding' | 'lost' = 'idle';
  #failure: string | undefined;

  /** @param onLost told why the thread is lost */
  constructor(db: DatabaseSync, dataDir: string, onLost?: (reason: string) => void) {
    this.#db = db;
    this.#inline = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
    db.exec('PRAGMA wal_autocheckpoint = 0');
    this.#worker = new Worker(threadUrl(import.meta.url, './checkpoint-thread'), { workerData: { dataDir } });
    this.#worker.on('message', (result: CheckpointResult) => this.#take(result));
    this.#exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.once('error', (error) => {
      this.#thread = 'lost';
      onLost?.(String(error));
    });
  }

  /**
   * A group has been committed.
   *
   * @param bytes that it has written, roughly
   * @throws SekaliError `store_unavailable` when the log could not be folded
   */
  committed(bytes: number): void {
    if (this.#failure !== undefined) {
      throw new SekaliError('store_unavailable', `the write-ahead log could not be folded: ${this.#failure}`);
    }
    this.#bytes += bytes;
    this.#bytesBehind += bytes;
    if (this.#bytes >= GIVE_UP_BYTES) this.#foldInline();
    else if (this.#thread !== 'folding' && this.#bytes >= BEGIN_BYTES) this.#begin();
  }

  async close(): Promise<void> {
    this.#worker.postMessage('close');
    await this.#exited;
  }

  #begin(): void {
    if (this.#thread === 'lost') this.#foldInline();
    else this.#fold();
  }

  #fold(): void {
    this.#thread = 'folding';
    this.#bytesBehind = 0;
    this.#worker.postMessage('checkpoint');
  }

  #take({ failure }: CheckpointResult): void {
    this.#thread = 'idle';
    this.#failure = failure;
    if (failure !== undefined || !this.#db.isOpen) return;
    if (this.#bytesBehind <= LAST_BYTES) this.#foldInline();
    else this.#fold();
  }

  #foldInline(): void {
    this.#inline.get();
    this.#bytes = 0;
    this.#bytesBehind = 0;
  }
}
