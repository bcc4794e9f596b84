import type { StoreSecrets } from '../../store/store.ts';
import type { KeyLife } from '../../transfer/records.ts';
import type { TransferWriter } from '../../transfer/transfer-writer.ts';
import { KeyHasher, type TopicState } from '../dedup/key.ts';
import { PAGE_BYTES, ROWS_AT_ONCE } from './export-page.ts';
import { UUID, wordColumn } from './import-columns.ts';
import { instantColumn, instantOf } from './instant-column.ts';
import type { LongTransaction } from './long-transaction.ts';

/** Topics that are remembered; any number may exist. */
const REMEMBERED = 10_000;

interface EventRow {
  readonly position: string;
  readonly topic: string;
  readonly event_id: string;
  readonly at: string;
  readonly source: string;
  readonly payload: string;
  readonly processed: string;
  readonly sequence: string | null;
}

/** The events of a page that are not retired. How long payloads are is known without reading those that lie outside of their row. */
const pageSql = `
  WITH page AS (
    SELECT * FROM sekali.events WHERE position > $1 ORDER BY position LIMIT ${ROWS_AT_ONCE}
  ), sized AS (
    SELECT *, sum(octet_length(payload)) OVER (ORDER BY position) - octet_length(payload) AS before FROM page
  )
  SELECT position::text, topic, event_id, source, payload, sequence::text, position >= retired_before AS visible,
      ${instantColumn('"timestamp"')} AS at, ${instantColumn('processed_at')} AS processed
    FROM sized JOIN sekali.topics USING (topic_id) WHERE before < ${PAGE_BYTES} ORDER BY sized.position`;

export async function exportEvents(
  session: LongTransaction,
  writer: TransferWriter,
  { keySecret }: StoreSecrets,
): Promise<void> {
  const keys = new EventKeys(keySecret);
  for (let last = '0'; ; ) {
    const { rows } = await session.query({ name: 'export events', text: pageSql, values: [last] });
    const page = rows as (EventRow & { visible: boolean })[];
    const end = page.at(-1);
    if (end === undefined) return;
    last = end.position;
    const visible = page.filter((row) => row.visible);
    const lives = await keys.livesOf(session, visible);
    for (const [i, row] of visible.entries()) {
      writer.event({
        position: Number(row.position),
        topic: row.topic,
        event_id: row.event_id,
        timestamp: instantOf(row.at),
        source: row.source,
        payload: row.payload,
        processed_at: instantOf(row.processed),
        sequence: row.sequence === null ? undefined : Number(row.sequence),
        keyLife: lives[i] ?? 'forgotten',
      });
    }
    await writer.drain();
  }
}

/** What the index of keys says of events: it is asked by their keys, which are computed. */
class EventKeys {
  readonly #hasher: KeyHasher;
  readonly #topics = new Map<string, TopicState>();

  constructor(keySecret: Uint8Array) {
    this.#hasher = new KeyHasher(keySecret);
  }

  /** Undefined where the key is gone, or a later event's. */
  async livesOf(session: LongTransaction, events: readonly EventRow[]): Promise<(KeyLife | undefined)[]> {
    const words = events.flatMap(({ topic, event_id }) => {
      const id = Buffer.from(event_id);
      const { a, b, c, d } = this.#hasher.hashId(this.#stateOf(topic), id, 0, id.length);
      return [a, b, c, d];
    });
    const lives = Array.from<KeyLife | undefined>({ length: events.length });
    const { rows } = await session.query({
      name: 'export keys of events',
      text: `SELECT e.i::int, ${instantColumn('k.expires_at')} AS expires, k.position::text
        FROM unnest($1::uuid[]) WITH ORDINALITY AS e (key, i) JOIN sekali.keys k USING (key)`,
      values: [wordColumn(UUID, words, 4)],
    });
    for (const { i, expires, position } of rows as {
      i: number;
      expires: string | null;
      position: string;
    }[]) {
      if (events[i - 1]?.position !== position) continue;
      lives[i - 1] = expires === null ? 'for ever' : { expiresAt: instantOf(expires) };
    }
    return lives;
  }

  #stateOf(topic: string): TopicState {
    let state = this.#topics.get(topic);
    if (state === undefined) {
      state = this.#hasher.topicState(topic);
      if (this.#topics.size >= REMEMBERED) this.#topics.clear();
      this.#topics.set(topic, state);
    }
    return state;
  }
}
