import type { DatabaseSync } from 'node:sqlite';
import { instantOfMs } from '../../instant.ts';
import { LAST_INSTANT } from '../../transfer/print-records.ts';
import type { KeyLife } from '../../transfer/records.ts';

/** 9999-12-31T23:59:59.999Z: later ones have no text. */
const LAST_MS = 253_402_300_799_999;

/**
 * When the keys of a window class are over, as dedup-windows.ts decides it: when the first tick at or behind a position is
 * older than the window. Behind the last tick stands the one that the next group would note.
 */
export class KeyExpiry {
  readonly #windowMs = new Map<number, number>();
  readonly #positions: number[] = [];
  readonly #atMs: number[] = [];

  constructor(db: DatabaseSync) {
    for (const row of db.prepare('SELECT class_id, window_s FROM windows').iterate()) {
      this.#windowMs.set(row['class_id'] as number, (row['window_s'] as number) * 1000);
    }
    for (const row of db
      .prepare('SELECT position, at_us / 1000 AS ms FROM ticks ORDER BY position')
      .iterate()) {
      this.#positions.push(row['position'] as number);
      this.#atMs.push(row['ms'] as number);
    }
    const stored = db.prepare('SELECT coalesce(max(last_at_us) / 1000, 0) AS ms FROM topics').get();
    this.#positions.push(Number.POSITIVE_INFINITY);
    this.#atMs.push(Math.max(stored?.['ms'] as number, this.#atMs.at(-1) ?? 0));
  }

  /** Whether any key may ever be over, or has been. */
  get isUsed(): boolean {
    return this.#windowMs.size > 0;
  }

  lifeOf(position: number, windowClass: number): Exclude<KeyLife, 'forgotten'> {
    const windowMs = this.#windowMs.get(windowClass);
    if (windowMs === undefined) return 'for ever';
    const atMs = this.#atMs[this.#tickFrom(position)]! + windowMs;
    return { expiresAt: atMs > LAST_MS ? LAST_INSTANT : instantOfMs(atMs) };
  }

  /** The first tick at or behind a position. */
  #tickFrom(position: number): number {
    let low = 0;
    let high = this.#positions.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#positions[middle]! >= position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
