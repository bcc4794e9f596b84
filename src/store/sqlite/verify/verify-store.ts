/**
 * Reads all of a store and says what is wrong with it, without changing anything, also beside a server that writes to it.
 *
 * All of it is one moment: a read transaction, and the generation files that its manifest names (snapshot.ts). In order:
 *
 *     write-ahead log   whether SQLite reads all of what was committed to it (wal-check.ts)
 *     structure         SQLite's own check of its pages and indexes
 *     generations       each page of each file: checksums, order, filter; that they cover what is sealed
 *     events            each block: checksum, structure, positions; key and content of each event computed anew
 *     index             each event has its entry and each entry its event: key-table.ts
 *     counters          against one another and against the events
 *     subscriptions     a moment of their own: structure, and that counts and rows agree
 *
 * A fault that explains others keeps them from being told: of events that cannot be read, nothing else is asked.
 */
import type { DatabaseSync } from 'node:sqlite';
import { SekaliError } from '../../../errors.ts';
import { messageOf } from '../../../message-of.ts';
import type { CheckedFile } from '../../dedup/generation-load.ts';
import { readMeta } from '../meta.ts';
import { openSnapshot, type Snapshot } from '../snapshot.ts';
import { checkConflicts } from './check-conflicts.ts';
import { checkCounters } from './check-counters.ts';
import { checkSubscriptions } from './check-subscriptions.ts';
import { EventPass } from './event-pass.ts';
import { type Fault, FaultList, MEND } from './fault.ts';
import { openerFor, SealedKeys } from './sealed-keys.ts';
import { checkWal } from './wal-check.ts';

export type { Fault } from './fault.ts';

export interface VerifyOptions {
  readonly dataDir: string;
  readonly onFault: (fault: Fault) => void;
  /** What is no fault, and an operator may want to know. */
  readonly onNote?: (text: string) => void;
  readonly onProgress?: (progress: VerifyProgress) => void;
  /** For tests: how many positions are held in memory at once. */
  readonly span?: number;
}

export interface VerifyProgress {
  readonly phase: 'structure' | 'events';
  readonly done: number;
  readonly total: number;
}

export interface VerifyReport {
  readonly faults: number;
  /** Faults beyond those that were told. */
  readonly untold: { kind: string; count: number }[];
  readonly events: number;
  readonly keys: number;
  readonly generations: number;
  readonly last_position: number;
}

const NOTHING_READ = { events: 0, keys: 0, generations: 0, last_position: 0 };

/** @throws SekaliError `config_invalid`: there is no store; `schema_newer`; `store_unavailable` */
export function verifyStore(options: VerifyOptions): VerifyReport {
  const faults = new FaultList(options.onFault);
  const report = (read: typeof NOTHING_READ): VerifyReport => ({
    faults: faults.count,
    untold: faults.untold(),
    ...read,
  });
  const lost = (error: unknown) => {
    faults.add('sqlite', { where: 'sekali.db', what: messageOf(error), mend: MEND.restore });
    return report(NOTHING_READ);
  };
  checkWal(options.dataDir, faults);
  checkSubscriptions(options.dataDir, faults);
  let snapshot: Snapshot<CheckedFile>;
  try {
    snapshot = openSnapshot(options.dataDir, openerFor);
  } catch (error) {
    if (error instanceof SekaliError && error.code !== 'store_damaged') throw error;
    return lost(error);
  }
  try {
    return report(verifySnapshot(snapshot, options, faults));
  } catch (error) {
    if (!isDamage(error)) throw error;
    return lost(error);
  } finally {
    snapshot.close();
  }
}

function verifySnapshot(
  snapshot: Snapshot<CheckedFile>,
  { onNote = () => {}, onProgress = () => {}, span }: VerifyOptions,
  faults: FaultList,
): typeof NOTHING_READ {
  const { db } = snapshot;
  onProgress({ phase: 'structure', done: 0, total: 1 });
  attempt(faults, () => checkStructure(db, faults));
  attempt(faults, () => checkCounters(db, faults));
  const counters = db.prepare('SELECT last_position, sealed_through FROM counters').get();
  const lastPosition = Number(counters?.['last_position']);
  const sealed = new SealedKeys(snapshot, Number(counters?.['sealed_through']), faults);
  sealed.checkManifest(onNote, lastPosition);
  const pass = new EventPass({ db, meta: readMeta(db), sealed, lastPosition, faults, span });
  const total = lastPosition + sealed.keys;
  pass.run((done) => onProgress({ phase: 'events', done, total }));
  attempt(faults, () => pass.checkTopics());
  attempt(faults, () => checkConflicts(db, lastPosition, faults));
  return {
    events: pass.events,
    keys: pass.entries,
    generations: snapshot.generations.length,
    last_position: lastPosition,
  };
}

function checkStructure(db: DatabaseSync, faults: FaultList): void {
  for (const row of db.prepare('PRAGMA integrity_check(100)').iterate()) {
    const what = String(row['integrity_check']);
    if (what === 'ok') continue;
    faults.add('sqlite', { where: 'sekali.db', what: what.replaceAll('\n', ' '), mend: MEND.restore });
  }
}

/** Goes on after what SQLite cannot read. */
function attempt(faults: FaultList, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!isDamage(error)) throw error;
    faults.add('sqlite', { where: 'sekali.db', what: messageOf(error), mend: MEND.restore });
  }
}

/** SQLite, or Node on what came from it, says that the file is not what was written. */
function isDamage(error: unknown): boolean {
  if (error instanceof SekaliError) return error.code === 'store_damaged';
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ERR_SQLITE_ERROR' || error.code === 'ERR_OUT_OF_RANGE')
  );
}
