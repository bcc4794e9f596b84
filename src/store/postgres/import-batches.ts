import { JsonScanner } from '../../content/json-scanner.ts';
import type { Fingerprint } from '../../event.ts';
import type { Instant } from '../../instant.ts';
import { messageOf } from '../../message-of.ts';
import { LineFault } from '../../transfer/read-members.ts';
import type { ReadEvent } from '../../transfer/read-records.ts';
import type { KeyLife, TransferKey } from '../../transfer/records.ts';
import type { Key } from '../dedup/key.ts';
import type { SqlQuery } from './connection.ts';
import {
  INT8,
  int4Column,
  int8Column,
  textColumn,
  timestamptzColumn,
  UUID,
  wordColumn,
} from './import-columns.ts';

/** Rows that one statement inserts at most, and bytes of payload after which it takes no more. */
const ROWS_MAX = 5000;
const BYTES_MAX = 8 * 1024 * 1024;

/** Events on their way to their table. */
export class EventBatch {
  readonly #events: ReadEvent[] = [];
  readonly #topicIds: number[] = [];
  #bytes = 0;

  get isFull(): boolean {
    return this.#events.length >= ROWS_MAX || this.#bytes >= BYTES_MAX;
  }

  get length(): number {
    return this.#events.length;
  }

  add(event: ReadEvent, topicId: number): void {
    this.#events.push(event);
    this.#topicIds.push(topicId);
    this.#bytes += event.payload.length;
  }

  insert(): SqlQuery {
    const events = this.#events;
    return {
      name: 'import events',
      text: `INSERT INTO sekali.events
          (position, topic_id, event_id, "timestamp", source, payload, processed_at, sequence)
        SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
          $7::timestamptz[], $8::bigint[])`,
      values: [
        int8Column(events.map(({ position }) => position)),
        int4Column(this.#topicIds),
        textColumn(events.map(({ event_id }) => event_id)),
        timestamptzColumn(events.map(({ timestamp }) => timestamp)),
        textColumn(events.map(({ source }) => source)),
        textColumn(events.map(({ payload }) => payload)),
        timestamptzColumn(events.map(({ processed_at }) => processed_at)),
        int8Column(events.map(({ sequence }) => sequence)),
      ],
    };
  }
}

/** Keys on their way to their table. */
export class KeyBatch {
  readonly #words: number[] = [];
  readonly #positions: number[] = [];
  readonly #contents: number[] = [];
  readonly #expiresAt: (Instant | undefined)[] = [];

  get isFull(): boolean {
    return this.#positions.length >= ROWS_MAX;
  }

  get length(): number {
    return this.#positions.length;
  }

  add(
    { a, b, c, d }: Key,
    position: number,
    { high, low }: Fingerprint,
    life: Exclude<KeyLife, 'forgotten'>,
  ): void {
    this.#words.push(a, b, c, d);
    this.#positions.push(position);
    this.#contents.push(high, low);
    this.#expiresAt.push(life === 'for ever' ? undefined : life.expiresAt);
  }

  /** Of a retired event. */
  addLine({ key, position, content, keyLife }: TransferKey): void {
    const words = Buffer.from(key + content, 'hex');
    const at = (n: number) => words.readInt32BE(n * 4);
    this.add({ a: at(0), b: at(1), c: at(2), d: at(3) }, position, { high: at(4), low: at(5) }, keyLife);
  }

  insert(): SqlQuery {
    return {
      name: 'import keys',
      text: `INSERT INTO sekali.keys (key, position, content, expires_at)
        SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[])`,
      values: [
        wordColumn(UUID, this.#words, 4),
        int8Column(this.#positions),
        wordColumn(INT8, this.#contents, 2),
        timestamptzColumn(this.#expiresAt),
      ],
    };
  }
}

/** The fingerprint of a payload as it lies in a line. @throws LineFault when it is no JSON object and nothing else */
export function contentOf(payload: Buffer, seed: Fingerprint): Fingerprint {
  const scanner = new JsonScanner(payload, 0, payload.length, seed.high, seed.low);
  try {
    scanner.value(Number.MAX_SAFE_INTEGER);
  } catch (error) {
    throw new LineFault(`payload is no JSON: ${messageOf(error)}`);
  }
  if (scanner.at !== payload.length || payload[0] !== 0x7b) throw new LineFault('payload is no JSON object');
  return { high: scanner.high, low: scanner.low };
}
