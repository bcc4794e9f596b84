import type { DatabaseSync } from 'node:sqlite';
import { CONFLICTS_KEPT } from '../../store-reader.ts';
import { type FaultList, MEND } from './fault.ts';

/** Holds the counters against one another. What they say of the events is checked as those are read: topic-tallies.ts. */
export function checkCounters(db: DatabaseSync, faults: FaultList): void {
  for (const what of faultsOf(db))
    faults.add('counters', { where: 'sekali.db, counters', what, mend: MEND.restore });
}

function* faultsOf(db: DatabaseSync): Generator<string> {
  const counters = numbersOf(db, 'SELECT * FROM counters');
  const {
    received = 0,
    unique_processed = 0,
    duplicate_dropped = 0,
    conflicts = 0,
    last_position = 0,
  } = counters;
  const sums = numbersOf(
    db,
    `SELECT coalesce(sum(events), 0) AS events, coalesce(sum(duplicates + conflicts), 0) AS later,
       coalesce(sum(conflicts), 0) AS conflicts FROM topics`,
  );
  const kept = numbersOf(db, 'SELECT count(*) AS count, coalesce(max(number), 0) AS last FROM conflicts');
  for (const [name, value] of Object.entries(counters)) if (value < 0) yield `${name} is ${value}`;
  if (received !== unique_processed + duplicate_dropped) {
    yield `received is ${received}, and unique_processed + duplicate_dropped is ${unique_processed + duplicate_dropped}`;
  }
  yield* differing('unique_processed', unique_processed, 'the last position', last_position);
  yield* differing('unique_processed', unique_processed, 'the sum of the topics', sums['events']);
  yield* differing('duplicate_dropped', duplicate_dropped, 'the sum of the topics', sums['later']);
  yield* differing('conflicts', conflicts, 'the sum of the topics', sums['conflicts']);
  for (const name of ['sealed_through', 'topics_indexed_through']) {
    const value = counters[name] ?? 0;
    if (value > last_position) yield `${name} is ${value}, beyond the last position, ${last_position}`;
  }
  if ((kept['count'] ?? 0) > CONFLICTS_KEPT)
    yield `${kept['count']} conflicts are kept, more than ${CONFLICTS_KEPT}`;
  if ((kept['last'] ?? 0) > conflicts)
    yield `the last conflict kept has number ${kept['last']}, of ${conflicts} counted`;
}

function* differing(
  name: string,
  value: number,
  otherName: string,
  other: number | undefined,
): Generator<string> {
  if (value !== other) yield `${name} is ${value}, and ${otherName} is ${other}`;
}

function numbersOf(db: DatabaseSync, sql: string): Record<string, number> {
  const row = db.prepare(sql).get() ?? {};
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]));
}
