import type { DatabaseSync } from 'node:sqlite';
import { countEntries, ENTRY_BYTES, readEntries } from '../../dedup/key-log.ts';
import { type FaultList, MEND } from './fault.ts';
import { fingerprint32, type KeyTable } from './key-table.ts';

/** The log of the keys that no generation holds yet. */
export class LoggedKeys {
  readonly #db: DatabaseSync;
  readonly #sealedThrough: number;
  readonly #faults: FaultList;
  /** False once a row could not be read: what it held is not asked for. */
  isWhole = true;

  constructor(db: DatabaseSync, sealedThrough: number, faults: FaultList) {
    this.#db = db;
    this.#sealedThrough = sealedThrough;
    this.#faults = faults;
  }

  takeInto(table: KeyTable, onRead: (entries: number) => void): void {
    const rows = this.#db.prepare(
      'SELECT first_position, entries, classes FROM keys WHERE first_position <= ? ORDER BY first_position',
    );
    for (const { first_position, entries, classes } of rows.iterate(table.last)) {
      const first = first_position as number;
      const isRow = entries instanceof Uint8Array && (classes === null || classes instanceof Uint8Array);
      if (!isRow || (countEntries(entries, classes) ?? 0) === 0) {
        this.isWhole = false;
        if (table.has(first)) this.#fault(first, 'the row is cut short', MEND.start);
        continue;
      }
      if (first <= this.#sealedThrough && table.has(first)) {
        const what = `keys are said to be sealed up to ${this.#sealedThrough}, and are in the log of keys too`;
        this.#fault(first, what, MEND.restore);
      }
      if (first + entries.byteLength / ENTRY_BYTES > table.first)
        onRead(takeRow(table, first, entries, classes));
    }
  }

  #fault(first: number, what: string, mend: string): void {
    this.#faults.add('key log', { where: `sekali.db, log of keys from position ${first}`, what, mend });
  }
}

/** @returns how many entries are of the span */
function takeRow(table: KeyTable, first: number, entries: Uint8Array, classes: Uint8Array | null): number {
  let taken = 0;
  for (const { key, position, content } of readEntries(first, entries, classes)) {
    if (!table.has(position)) continue;
    table.take(position, fingerprint32(key.a, key.b, key.c, key.d, content.high, content.low));
    taken++;
  }
  return taken;
}
