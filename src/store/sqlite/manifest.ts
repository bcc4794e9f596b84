import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Generation, Step } from '../dedup/generation.ts';

/** The manifest of the key index: which generations count. Changed in the transactions of the store, so it fits the log. */
export class Manifest {
  readonly #db: DatabaseSync;
  readonly #add: StatementSync;
  readonly #remove: StatementSync;
  readonly #seal: StatementSync;
  readonly #dropKeys: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#add = db.prepare(
      'INSERT INTO generations (name, first_position, last_position, keys, bytes) VALUES (?, ?, ?, ?, ?)',
    );
    this.#remove = db.prepare('DELETE FROM generations WHERE name = ?');
    this.#seal = db.prepare('UPDATE counters SET sealed_through = max(sealed_through, ?)');
    // A row is a commit group. The generation ends where one does: it was sealed between two of them.
    this.#dropKeys = db.prepare('DELETE FROM keys WHERE first_position <= ?');
  }

  generations(): Generation[] {
    const rows = this.#db.prepare(
      'SELECT name, first_position, last_position, keys, bytes FROM generations ORDER BY first_position',
    );
    return rows.all().map((row) => ({
      name: row['name'] as string,
      firstPosition: row['first_position'] as number,
      lastPosition: row['last_position'] as number,
      keys: row['keys'] as number,
      bytes: row['bytes'] as number,
    }));
  }

  /** Everything up to this position is in generations; what is above is in the log of keys. */
  sealedThrough(): number {
    return this.#db.prepare('SELECT sealed_through FROM counters').get()?.['sealed_through'] as number;
  }

  /** Writes a step, in the transaction that is open. */
  write({ add, remove, sealedThrough }: Step): void {
    for (const { name } of remove) this.#remove.run(name);
    for (const { name, firstPosition, lastPosition, keys, bytes } of add) {
      this.#add.run(name, firstPosition, lastPosition, keys, bytes);
    }
    if (sealedThrough !== undefined) {
      this.#seal.run(sealedThrough);
      this.#dropKeys.run(sealedThrough);
    }
  }
}
