import { fingerprintOf } from '../content/fingerprint.ts';
import type { Event, Fingerprint } from '../event.ts';
import type { KeyHasher } from './dedup/key.ts';
import {
  CONTENT_HIGH,
  CONTENT_LOW,
  EVENT_WORDS,
  type EventPack,
  highOfInstant,
  ID_BYTES,
  KEY,
  lowOfInstant,
  RECORD_BYTES,
  SEQUENCE_HIGH,
  SEQUENCE_LOW,
  SOURCE_BYTES,
  START,
  TIME_HIGH,
  TIME_LOW,
  TOPIC,
} from './event-pack.ts';

/** Adds an event that is at hand as an object. Events that come over the wire are packed as they are scanned: event-scanner.ts. */
export function packEvent(
  pack: EventPack,
  event: Omit<Event, 'content'>,
  hasher: KeyHasher,
  contentSeed: Fingerprint,
): void {
  const [id, source, payload] = [event.event_id, event.source, event.payload].map((text) =>
    Buffer.from(text),
  );
  const recordBytes = id!.length + source!.length + payload!.length;
  pack.reserve(recordBytes + EVENT_WORDS * 4);
  const { words, bytes, length, bytesUsed } = pack;
  const at = length * EVENT_WORDS;
  bytes.set(id!, bytesUsed);
  bytes.set(source!, bytesUsed + id!.length);
  bytes.set(payload!, bytesUsed + id!.length + source!.length);
  const known = pack.topics.indexOf(event.topic);
  const { a, b, c, d } = hasher.hash(event.topic, event.event_id);
  const content = fingerprintOf(payload!, contentSeed);
  words[at + START] = bytesUsed;
  words[at + ID_BYTES] = id!.length;
  words[at + SOURCE_BYTES] = source!.length;
  words[at + RECORD_BYTES] = recordBytes;
  words[at + TOPIC] = known === -1 ? pack.topics.push(event.topic) - 1 : known;
  words[at + TIME_HIGH] = highOfInstant(event.timestamp);
  words[at + TIME_LOW] = lowOfInstant(event.timestamp);
  words[at + SEQUENCE_HIGH] = event.sequence === undefined ? -1 : Math.floor(event.sequence / 2 ** 32);
  words[at + SEQUENCE_LOW] = (event.sequence ?? 0) | 0;
  words[at + KEY] = a;
  words[at + KEY + 1] = b;
  words[at + KEY + 2] = c;
  words[at + KEY + 3] = d;
  words[at + CONTENT_HIGH] = content.high;
  words[at + CONTENT_LOW] = content.low;
  pack.length++;
  pack.bytesUsed += recordBytes;
}
