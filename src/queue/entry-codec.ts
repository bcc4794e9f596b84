import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import { SekaliError } from '../errors.ts';
import { EVENT_WORDS, EventPack, START, TOPIC } from '../store/event-pack.ts';
import type { Batch, CommitGroup } from '../store/store.ts';

/**
 * A commit group as the bytes of a queue entry, and back. Nothing is parsed event by event: the pack's own words and records
 * are copied as they are, so that a worker does not decode again what the ingest stage has decoded.
 *
 *     offset  bytes
 *          0  4              "SKQE"
 *          4  4              version of this layout, and of the words of an event: {@link VERSION}
 *          8  4              crc32 of all that follows
 *         12  4              events
 *         16  4              bytes of the topics
 *         20  4              bytes of the records
 *         24  4              events of its requests that were rejected
 *         28  events × 64    the words of the events, see event-pack.ts
 *                            the topics by number, a JSON array of strings
 *                            the records
 *
 * All integers are little-endian. Old entries may be in the queue when a new version starts, so a change of the layout is a
 * new version, and a worker reads the one before too. While a cluster is being upgraded there are entries of a newer version than
 * some of its workers know ({@link isNewer}): those are for the others.
 */
const MAGIC = 0x45514b53; // "SKQE", read as a little-endian word
const VERSION = 1;
const CHECKED_FROM = 12;
const HEADER_BYTES = 28;
const WORD_BYTES = 4;

export function encodeEntry({ events, batches }: CommitGroup): Buffer<ArrayBuffer> {
  const topics = Buffer.from(JSON.stringify(events.topics));
  const wordBytes = events.length * EVENT_WORDS * WORD_BYTES;
  const body = Buffer.allocUnsafe(HEADER_BYTES + wordBytes + topics.length + events.bytesUsed);
  body.writeUInt32LE(MAGIC, 0);
  body.writeUInt32LE(VERSION, 4);
  body.writeUInt32LE(events.length, 12);
  body.writeUInt32LE(topics.length, 16);
  body.writeUInt32LE(events.bytesUsed, 20);
  body.writeUInt32LE(
    batches.reduce((sum, batch) => sum + batch.rejected, 0),
    24,
  );
  // The buffers of a pack are longer than what is in them: only what is used goes.
  body.set(bytesOf(events.words, 0, events.length), HEADER_BYTES);
  swapOnBigEndian(body.subarray(HEADER_BYTES, HEADER_BYTES + wordBytes));
  body.set(topics, HEADER_BYTES + wordBytes);
  body.set(events.bytes.subarray(0, events.bytesUsed), HEADER_BYTES + wordBytes + topics.length);
  body.writeUInt32LE(crc32(body.subarray(CHECKED_FROM)), 8);
  return body;
}

/** What an entry holds, checked, as views of its bytes. */
export interface OpenedEntry {
  readonly events: number;
  readonly rejected: number;
  readonly words: Buffer;
  readonly topics: readonly string[];
  readonly records: Buffer;
}

/** Whether a later version of Sekali made it. */
export function isNewer(body: Buffer): boolean {
  return body.length >= HEADER_BYTES && body.readUInt32LE(0) === MAGIC && body.readUInt32LE(4) > VERSION;
}

/** @throws SekaliError `entry_refused` when the bytes are damaged, or of a version that is not known here */
export function openEntry(body: Buffer): OpenedEntry {
  if (body.length < HEADER_BYTES || body.readUInt32LE(0) !== MAGIC)
    throw refused('it is not an entry of Sekali');
  const version = body.readUInt32LE(4);
  if (version !== VERSION)
    throw refused(`its layout has version ${version}, and this Sekali reads ${VERSION}`);
  if (crc32(body.subarray(CHECKED_FROM)) !== body.readUInt32LE(8)) throw refused('its checksum is wrong');
  const events = body.readUInt32LE(12);
  const topicsStart = HEADER_BYTES + events * EVENT_WORDS * WORD_BYTES;
  const recordsStart = topicsStart + body.readUInt32LE(16);
  if (recordsStart + body.readUInt32LE(20) !== body.length) throw refused('its length is wrong');
  return {
    events,
    rejected: body.readUInt32LE(24),
    words: body.subarray(HEADER_BYTES, topicsStart),
    topics: JSON.parse(body.toString('utf8', topicsStart, recordsStart)) as string[],
    records: body.subarray(recordsStart),
  };
}

/** One entry by itself. @throws SekaliError `entry_refused`, as {@link openEntry} */
export function decodeEntry(body: Buffer): { events: EventPack; rejected: number } {
  const entry = openEntry(body);
  return { events: mergeEntries([entry]).events, rejected: entry.rejected };
}

/** Many entries as one commit group, in their order; each is a batch of it. */
export function mergeEntries(entries: readonly OpenedEntry[]): CommitGroup {
  const events = packFor(entries);
  const numbers = new Map<string, number>();
  const batches = entries.map((entry): Batch => {
    addEntry(events, numbers, entry);
    return { end: events.length, rejected: entry.rejected, wantFirstSeen: false };
  });
  return { events, batches };
}

/** An empty pack with room for all of them: nothing grows, and so nothing is copied twice. */
function packFor(entries: readonly OpenedEntry[]): EventPack {
  const sum = (of: (entry: OpenedEntry) => number) => entries.reduce((total, entry) => total + of(entry), 0);
  return new EventPack({
    bytes: new ArrayBuffer(sum(({ records }) => records.length)),
    words: new ArrayBuffer(sum(({ words }) => words.length)),
  });
}

/** The two words that say where something is are of the entry, and are made to be of the pack. */
function addEntry(pack: EventPack, numbers: Map<string, number>, entry: OpenedEntry): void {
  const { words, length: first, bytesUsed } = pack;
  pack.bytes.set(entry.records, bytesUsed);
  const added = bytesOf(words, first, first + entry.events);
  added.set(entry.words);
  swapOnBigEndian(added);
  pack.length += entry.events;
  pack.bytesUsed += entry.records.length;

  const numberInPack = entry.topics.map((topic) => numberOf(topic, numbers, pack.topics));
  const end = pack.length * EVENT_WORDS;
  for (let at = first * EVENT_WORDS; at < end; at += EVENT_WORDS) {
    words[at + START] = words[at + START]! + bytesUsed;
    words[at + TOPIC] = numberInPack[words[at + TOPIC]!]!;
  }
}

function numberOf(topic: string, numbers: Map<string, number>, topics: string[]): number {
  const known = numbers.get(topic);
  if (known !== undefined) return known;
  const number = topics.push(topic) - 1;
  numbers.set(topic, number);
  return number;
}

/** The words of the events from `first` to `end` as bytes, in the order of this machine. */
function bytesOf(words: Int32Array<ArrayBuffer>, first: number, end: number): Buffer<ArrayBuffer> {
  const eventBytes = EVENT_WORDS * WORD_BYTES;
  return Buffer.from(words.buffer, words.byteOffset + first * eventBytes, (end - first) * eventBytes);
}

const IS_BIG_ENDIAN = endianness() === 'BE';

function swapOnBigEndian(words: Buffer): void {
  if (IS_BIG_ENDIAN) words.swap32();
}

function refused(reason: string): SekaliError {
  return new SekaliError('entry_refused', `The queue entry cannot be read: ${reason}.`);
}
