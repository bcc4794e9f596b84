import type { DatabaseSync } from 'node:sqlite';
import { SekaliError } from '../../errors.ts';
import { messageOf } from '../../message-of.ts';
import { openSubscriptionWriter } from './subscription-database.ts';
import { SubscriptionTables } from './subscription-tables.ts';

interface Job {
  readonly work: (tables: SubscriptionTables) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits what calls change. Those that have come by the time that one can be committed share a transaction, and its one fsync; what one
 * of them throws undoes that one alone.
 *
 * After a commit that failed nobody knows what is stored: the database is opened again, which settles it, before the next one.
 */
export class SubscriptionCommits {
  readonly #dataDir: string;
  #db: DatabaseSync | undefined;
  #tables: SubscriptionTables | undefined;
  #waiting: Job[] = [];
  #isClosed = false;

  /** @throws SekaliError as {@link openSubscriptionWriter} */
  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#open();
  }

  /** For reading: nothing is under way between two commits. @throws SekaliError `store_unavailable` */
  read<T>(work: (tables: SubscriptionTables) => T): T {
    try {
      return work(this.#tables ?? this.#open());
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** Resolves when the work, done in its turn, is durable. */
  run<T>(work: (tables: SubscriptionTables) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject }) === 1) {
        setImmediate(() => this.#commit());
      }
    });
  }

  /** Commits what waits, and closes the database. */
  close(): void {
    this.#commit();
    this.#isClosed = true;
    this.#db?.close();
    this.#db = undefined;
    this.#tables = undefined;
  }

  #commit(): void {
    const jobs = this.#waiting;
    this.#waiting = [];
    if (jobs.length === 0) return;
    const answers: (() => void)[] = [];
    try {
      const tables = this.#tables ?? this.#open();
      const db = this.#db!;
      db.exec('BEGIN IMMEDIATE');
      for (const job of jobs) answers.push(runAlone(db, tables, job));
      db.exec('COMMIT');
    } catch (error) {
      this.#giveUp();
      for (const { reject } of jobs) reject(unavailable(error));
      return;
    }
    for (const answer of answers) answer();
  }

  #open(): SubscriptionTables {
    if (this.#isClosed) throw new SekaliError('store_unavailable', 'the subscriptions are closed');
    this.#db = openSubscriptionWriter(this.#dataDir);
    this.#tables = new SubscriptionTables(this.#db);
    return this.#tables;
  }

  #giveUp(): void {
    const db = this.#db;
    this.#db = undefined;
    this.#tables = undefined;
    try {
      db?.close();
    } catch {
      // it is given up as it is
    }
  }
}

/** @returns what tells the caller, to be called once it is durable. @throws when the whole transaction is lost */
function runAlone(db: DatabaseSync, tables: SubscriptionTables, { work, resolve, reject }: Job): () => void {
  db.exec('SAVEPOINT job');
  try {
    const value = work(tables);
    db.exec('RELEASE job');
    return () => resolve(value);
  } catch (error) {
    if (!db.isTransaction) throw error;
    db.exec('ROLLBACK TO job; RELEASE job');
    return () => reject(unavailable(error));
  }
}

/** What SQLite throws, as a failure of the store; anything else as it is. */
function unavailable(error: unknown): unknown {
  const isSqlite = error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
  if (!isSqlite) return error;
  return new SekaliError('store_unavailable', `subscriptions: ${messageOf(error)}`, { cause: error });
}
