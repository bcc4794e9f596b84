import {
  CONFLICT_PAYLOAD_BYTES_MAX,
  CONFLICTS_KEPT,
  type Conflict,
  type ConflictQuery,
} from '../store-reader.ts';

/** The newest conflicts of a store in memory. */
export class MemoryConflicts {
  #kept: Conflict[] = [];
  #number = 0;

  add({ payload, ...conflict }: Omit<Conflict, 'number'> & { readonly payload: string }): void {
    const isKept = Buffer.byteLength(payload) <= CONFLICT_PAYLOAD_BYTES_MAX;
    this.#kept.push({ ...conflict, number: ++this.#number, payload: isKept ? payload : undefined });
    if (this.#kept.length > CONFLICTS_KEPT) this.#kept.shift();
  }

  /** Newest first. */
  list({ topic, event_id, before = Number.POSITIVE_INFINITY, limit }: ConflictQuery): Conflict[] {
    return this.#kept
      .filter(
        (conflict) =>
          conflict.number < before &&
          (topic === undefined || conflict.topic === topic) &&
          (event_id === undefined || conflict.event_id === event_id),
      )
      .reverse()
      .slice(0, limit);
  }

  clear(): void {
    this.#kept = [];
  }
}
