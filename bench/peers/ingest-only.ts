import { randomBytes } from 'node:crypto';
import type { Instant } from '../../src/instant.ts';
import type { CommitGroup, KeyStats, Receipts, Store, StoreSecrets } from '../../src/store/store.ts';
import { DUPLICATE, STORED } from '../../src/store/store.ts';

/**
 * A store for the bench that takes events and answers no question: what a team would write in an afternoon around a
 * database with a unique index. It tells new from repeated; it does not look for conflicts, count, or tell positions,
 * all of which is in its favour.
 */
export abstract class IngestOnlyStore implements Store {
  readonly secrets: StoreSecrets = {
    keySecret: randomBytes(16),
    contentSeed: { high: 0, low: 0 },
  };

  /** Stores what is new, durably. @returns for each event whether it was new */
  protected abstract insert(group: CommitGroup): Promise<readonly boolean[]> | readonly boolean[];

  abstract close(): Promise<void>;

  async append(group: CommitGroup): Promise<Receipts> {
    const isNew = await this.insert(group);
    return {
      verdicts: Uint8Array.from(isNew, (value) => (value ? STORED : DUPLICATE)),
      positions: new Float64Array(isNew.length),
      storedAt: (Date.now() * 1000) as Instant,
      firstSeenAt: new Map(),
    };
  }

  keyStats(): KeyStats {
    return { keys: 0, bytes: 0, sealedKeys: 0, sealedBytes: 0 };
  }

  find = refuse;
  events = refuse;
  printed = refuse;
  eventAt = refuse;
  eventsAt = refuse;
  countEvents = refuse;
  sequences = refuse;
  positionBefore = refuse;
  lastPosition = refuse;
  topics = refuse;
  counters = refuse;
  conflicts = refuse;
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('a store for the bench of ingest answers no question'));
}
