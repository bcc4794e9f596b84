import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Instant } from '../../instant.ts';
import type { EventPack } from '../event-pack.ts';
import { CONFLICT_PAYLOAD_BYTES_MAX, CONFLICTS_KEPT } from '../store-reader.ts';

/** Keeps the newest conflicts for inspection. Older ones go as new ones come, so the table never grows past its bound. */
export class ConflictKeeper {
  readonly #insert: StatementSync;
  readonly #prune: StatementSync;
  #last: number;
  #added = false;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare(`
      INSERT INTO conflicts (number, topic_id, event_id, position, timestamp_us, source, payload, received_at_us)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#prune = db.prepare('DELETE FROM conflicts WHERE number <= ?');
    this.#last = Number(db.prepare('SELECT coalesce(max(number), 0) AS last FROM conflicts').get()?.['last']);
  }

  /** @param i the conflicting event in the pack; @param position that of the first event of its key */
  add(topicId: number, position: number, pack: EventPack, i: number, receivedAt: Instant): void {
    const kept = pack.payloadBytes(i) <= CONFLICT_PAYLOAD_BYTES_MAX;
    this.#insert.run(
      ++this.#last,
      topicId,
      pack.eventId(i),
      position,
      pack.timestamp(i),
      pack.source(i),
      kept ? pack.payload(i) : null,
      receivedAt,
    );
    this.#added = true;
  }

  flush(): void {
    if (this.#added) this.#prune.run(this.#last - CONFLICTS_KEPT);
    this.#added = false;
  }
}
