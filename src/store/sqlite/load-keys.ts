import type { DatabaseSync } from 'node:sqlite';
import { SekaliError } from '../../errors.ts';
import type { KeyIndex } from '../dedup/key-index.ts';
import { checksumOf, countEntries, type LoggedKey, readEntries } from '../dedup/key-log.ts';
import { CounterReader } from './count-events.ts';

/** What is derived goes in by this many, where the log of keys has no rows to go by. */
const AT_ONCE = 10_000;

/**
 * Adds the keys above `sealedThrough` to an index: from the log of keys; where that has a gap or is damaged, derived from the
 * events. Row by row, as they were committed: a generation is sealed between two of them.
 *
 * @throws SekaliError `store_damaged` when events, keys and counters contradict one another
 */
export function loadKeys(
  db: DatabaseSync,
  sealedThrough: number,
  derive: (first: number, last: number) => Iterable<LoggedKey>,
  index: { add: KeyIndex['add']; committed(): void },
): void {
  const addAll = (entries: Iterable<LoggedKey>) => {
    for (const { key, position, content, windowClass } of entries) {
      index.add(key, position, content, windowClass);
    }
    index.committed();
  };
  const addDerived = (first: number, last: number) => {
    for (let at = first; at <= last; at += AT_ONCE) addAll(derive(at, Math.min(last, at + AT_ONCE - 1)));
  };
  const counted = new CounterReader(db).lastPosition();
  checkEnds(db, sealedThrough, counted);
  let expected = sealedThrough + 1;
  const rows = db
    .prepare(
      'SELECT first_position, entries, classes, checksum FROM keys WHERE first_position > ? ORDER BY first_position',
    )
    .iterate(sealedThrough);
  for (const row of rows) {
    const first = row['first_position'] as number;
    const entries = row['entries'] as Uint8Array;
    const classes = row['classes'] as Uint8Array | null;
    const isWhole = checksumOf(entries, classes) === row['checksum'];
    const count = isWhole ? (countEntries(entries, classes) ?? 0) : 0;
    if (count === 0 || first < expected || first + count - 1 > counted) continue; // derived with what is missing
    addDerived(expected, first - 1);
    addAll(readEntries(first, entries, classes));
    expected = first + count;
  }
  addDerived(expected, counted);
}

/** The counters say where the log ends; events or generations beyond it come from another time. */
function checkEnds(db: DatabaseSync, sealedThrough: number, counted: number): void {
  const last = db.prepare('SELECT coalesce(max(first_position), 0) AS last FROM blocks').get();
  const lastBlock = last?.['last'] as number;
  if (lastBlock > counted || sealedThrough > counted) {
    throw new SekaliError(
      'store_damaged',
      `the counters say that the log ends at position ${counted}, but events begin at ${lastBlock} and keys are sealed up to ${sealedThrough}: restore a backup`,
    );
  }
}
