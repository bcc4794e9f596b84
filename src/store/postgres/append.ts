import type { Instant } from '../../instant.ts';
import { type DedupWindow, ruleFor, type TopicRules } from '../../topic-rules.ts';
import {
  CONTENT_HIGH,
  CONTENT_LOW,
  EVENT_WORDS,
  type EventPack,
  ID_BYTES,
  KEY,
  RECORD_BYTES,
  SEQUENCE_HIGH,
  SEQUENCE_LOW,
  SOURCE_BYTES,
  START,
  TIME_HIGH,
  TIME_LOW,
  TOPIC,
} from '../event-pack.ts';
import type { CommitGroup, ConsumedEntries } from '../store.ts';
import { EPOCH_US, fixedArray, INT4, INT8, TIMESTAMPTZ, textArray, UUID } from './binary-arrays.ts';
import { AS_TEXT, type SqlClient } from './connection.ts';
import { firstsOf } from './firsts.ts';

/** What the database says of a group, an element an event. */
export interface Appended {
  readonly storedAt: Instant;
  readonly positions: Float64Array;
  /** As in Receipts. */
  readonly verdicts: Uint8Array;
}

const TEXT_SQL = `
  SELECT (extract(epoch FROM o_stored_at) * 1000000)::bigint, o_positions, o_verdicts FROM sekali.append_1($1::uuid[], $2::bigint[], $3::integer[], $4::integer[], $5::text[], $6::timestamptz[],
    $7::text[], $8::text[], $9::bigint[], $10::integer[], $11::integer[], $12::bigint[], $13::bigint, $14::uuid, $15::uuid[])`;

/** Appends one group in one call of the database (append-sql.ts), which is one transaction. */
export async function append(
  client: SqlClient,
  { events, batches }: CommitGroup,
  topicIds: readonly number[],
  windows: TopicRules<DedupWindow>,
  consumed?: ConsumedEntries,
): Promise<Appended> {
  const rejected = batches.reduce((sum, batch) => sum + batch.rejected, 0);
  const { rows } = await client.query({
    name: 'append_1',
    text: TEXT_SQL,
    values: [
      ...eventArrays(events, topicIds),
      ...windowArrays(events.topics, topicIds, windows),
      String(rejected),
      consumed?.epoch ?? null,
      consumed === undefined ? null : uuidArray(consumed.ids),
    ],
    rowMode: 'array',
    types: AS_TEXT,
  });
  return readAppended(rows[0] as AppendedRow, events.length);
}

/** $1 to $10: what the pack holds, array by array. */
function eventArrays(pack: EventPack, topicIds: readonly number[]): (Buffer | null)[] {
  const { words, bytes, length } = pack;
  const totals = { id: 0, source: 0, record: 0, sequences: 0 };
  for (let at = 0; at < length * EVENT_WORDS; at += EVENT_WORDS) {
    totals.id += words[at + ID_BYTES]!;
    totals.source += words[at + SOURCE_BYTES]!;
    totals.record += words[at + RECORD_BYTES]!;
    if (words[at + SEQUENCE_HIGH]! >= 0) totals.sequences++;
  }
  const firsts = firstsOf(pack);
  const word = (i: number, offset: number) => words[i * EVENT_WORDS + offset]!;
  const textOf =
    (from: (i: number) => number, size: (i: number) => number) => (into: Buffer, at: number, i: number) => {
      const start = from(i);
      bytes.copy(into, at, start, start + size(i));
      return size(i);
    };
  const sourceStart = (i: number) => word(i, START) + word(i, ID_BYTES);
  const payloadStart = (i: number) => sourceStart(i) + word(i, SOURCE_BYTES);
  return [
    fixedArray(UUID, length, 16, (into, at, i) => {
      for (let n = 0; n < 4; n++) into.writeInt32BE(word(i, KEY + n), at + 4 * n);
    }),
    fixedArray(INT8, length, 8, (into, at, i) => {
      into.writeInt32BE(word(i, CONTENT_HIGH), at);
      into.writeInt32BE(word(i, CONTENT_LOW), at + 4);
    }),
    firsts === undefined
      ? null
      : fixedArray(INT4, length, 4, (into, at, i) => into.writeInt32BE(firsts[i]! + 1, at)),
    fixedArray(INT4, length, 4, (into, at, i) => into.writeInt32BE(topicIds[word(i, TOPIC)]!, at)),
    textArray(
      length,
      totals.id,
      textOf(
        (i) => word(i, START),
        (i) => word(i, ID_BYTES),
      ),
    ),
    fixedArray(TIMESTAMPTZ, length, 8, (into, at, i) => {
      const us = (BigInt(word(i, TIME_HIGH)) << 32n) | BigInt(word(i, TIME_LOW) >>> 0);
      into.writeBigInt64BE(us - EPOCH_US, at);
    }),
    textArray(
      length,
      totals.source,
      textOf(sourceStart, (i) => word(i, SOURCE_BYTES)),
    ),
    textArray(
      length,
      totals.record - totals.id - totals.source,
      textOf(payloadStart, (i) => word(i, RECORD_BYTES) - word(i, ID_BYTES) - word(i, SOURCE_BYTES)),
    ),
    totals.sequences === 0
      ? null
      : fixedArray(INT8, length, 8, (into, at, i) => {
          if (word(i, SEQUENCE_HIGH) < 0) return false;
          into.writeInt32BE(word(i, SEQUENCE_HIGH), at);
          return into.writeInt32BE(word(i, SEQUENCE_LOW), at + 4);
        }),
    fixedArray(INT4, length, 4, (into, at, i) => into.writeInt32BE(word(i, RECORD_BYTES), at)),
  ];
}

/** $11 and $12: the topics of the group that have a dedup window, and how long it is. */
function windowArrays(
  topics: readonly string[],
  topicIds: readonly number[],
  windows: TopicRules<DedupWindow>,
): (Buffer | null)[] {
  if (windows.length === 0) return [null, null];
  const windowed = topics.flatMap((topic, number) => {
    const window = ruleFor(windows, topic);
    const topicId = topicIds[number];
    return window === undefined || topicId === undefined ? [] : [{ topicId, windowS: window.windowS }];
  });
  return [
    fixedArray(INT4, windowed.length, 4, (into, at, i) => into.writeInt32BE(windowed[i]!.topicId, at)),
    fixedArray(INT8, windowed.length, 8, (into, at, i) =>
      into.writeBigInt64BE(BigInt(windowed[i]!.windowS), at),
    ),
  ];
}

export function uuidArray(ids: readonly Uint8Array[]): Buffer {
  return fixedArray(UUID, ids.length, 16, (into, at, i) => into.set(ids[i]!, at));
}

type AppendedRow = [storedAtUs: string, positions: string | null, verdicts: string | null];

function readAppended([storedAtUs, given, verdictsGiven]: AppendedRow, length: number): Appended {
  const positions = new Float64Array(length);
  const verdicts = new Uint8Array(length);
  readNumbers(given, positions);
  readNumbers(verdictsGiven, verdicts);
  return { storedAt: Number(storedAtUs), positions, verdicts };
}

/** Reads an array of whole numbers as PostgreSQL writes it, `{1,2,3}`. */
function readNumbers(text: string | null, into: Float64Array | Uint8Array): void {
  if (text === null || text === '{}') return;
  const numbers = text.slice(1, -1).split(',');
  for (let i = 0; i < numbers.length; i++) into[i] = Number(numbers[i]);
}
