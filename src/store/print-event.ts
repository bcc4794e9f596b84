import { formatInstant, type Instant } from '../instant.ts';
import type { Conflict, StoredEvent } from './store-reader.ts';

/** JSON of an event. The payload goes in as the text it came as, which no printer of values could give back. */
export function printEvent(event: StoredEvent): string {
  const head = printHead(event, JSON.stringify(event.topic), JSON.stringify(event.event_id));
  return head + JSON.stringify(event.source) + printRest(event, event.payload);
}

/** What comes before the source. @param topic, eventId as JSON */
export function printHead(
  { position, timestamp }: { position: number; timestamp: Instant },
  topic: string,
  eventId: string,
): string {
  return `{"position":${position},"topic":${topic},"event_id":${eventId},"timestamp":"${formatInstant(timestamp)}","source":`;
}

/** What comes behind the source. */
export function printRest(
  { sequence, processed_at }: Pick<StoredEvent, 'sequence' | 'processed_at'>,
  payload: string,
): string {
  const counted = sequence === undefined ? '' : `,"sequence":${sequence}`;
  return `${counted},"payload":${payload}${printProcessedAt(processed_at)}`;
}

/** The end of an event. */
export function printProcessedAt(processedAt: Instant): string {
  return `,"processed_at":"${formatInstant(processedAt)}"}`;
}

/** JSON text on one line. A line break in it is white space, for within a string it has to be escaped (RFC 8259, section 7). */
export function onOneLine(json: string): string {
  return json.includes('\n') || json.includes('\r') ? json.replace(/[\r\n]/g, ' ') : json;
}

export function printConflict(conflict: Conflict): string {
  return `{"number":${conflict.number},"topic":${JSON.stringify(conflict.topic)},"event_id":${JSON.stringify(conflict.event_id)},"position":${conflict.position},"timestamp":"${formatInstant(conflict.timestamp)}","source":${JSON.stringify(conflict.source)},"payload":${conflict.payload ?? 'null'},"received_at":"${formatInstant(conflict.received_at)}"}`;
}
