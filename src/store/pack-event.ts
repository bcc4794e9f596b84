import { fingerprintOf } from '../content/fingerprint.ts';
import type { Event, Fingerprint } from '../event.ts';
import type { KeyHasher } from './dedup/key.ts';
import { EVENT_WORDS, type EventPack } from './event-pack.ts';

/** Adds an event that is at hand as an object. Events that come over the wire are packed as they are scanned: event-scanner.ts. */
export function packEvent(
  pack: EventPack,
  event: Omit<Event, 'content'>,
  hasher: KeyHasher,
  contentSeed: Fingerprint,
): void {
  const id = Buffer.from(event.event_id);
  const source = Buffer.from(event.source);
  const payload = Buffer.from(event.payload);
  const recordBytes = id.length + source.length + payload.length;
  pack.reserve(recordBytes + EVENT_WORDS * 4);
  const { bytes, bytesUsed } = pack;
  bytes.set(id, bytesUsed);
  bytes.set(source, bytesUsed + id.length);
  bytes.set(payload, bytesUsed + id.length + source.length);
  const known = pack.topics.indexOf(event.topic);
  const content = fingerprintOf(payload, contentSeed);
  const facts = {
    idBytes: id.length,
    sourceBytes: source.length,
    recordBytes,
    topic: known === -1 ? pack.topics.push(event.topic) - 1 : known,
    timestamp: event.timestamp,
    sequence: event.sequence,
    contentHigh: content.high,
    contentLow: content.low,
  };
  pack.add(facts, hasher.hash(event.topic, event.event_id));
}
