import { formatInstant } from '../instant.ts';
import type { Conflict, StoredEvent } from '../store/store.ts';

/** JSON of an event. The payload goes in as the text it came as, which no printer of values could give back. */
export function printEvent(event: StoredEvent): string {
  const sequence = event.sequence === undefined ? '' : `,"sequence":${event.sequence}`;
  return `{"position":${event.position},"topic":${JSON.stringify(event.topic)},"event_id":${JSON.stringify(event.event_id)},"timestamp":"${formatInstant(event.timestamp)}","source":${JSON.stringify(event.source)}${sequence},"payload":${event.payload},"processed_at":"${formatInstant(event.processed_at)}"}`;
}

/** The same on one line. A line break in JSON text is white space, for within a string it has to be escaped. */
export function printEventLine(event: StoredEvent): string {
  return `${printEvent(event).replace(/[\r\n]/g, ' ')}\n`;
}

export function printConflict(conflict: Conflict): string {
  return `{"number":${conflict.number},"topic":${JSON.stringify(conflict.topic)},"event_id":${JSON.stringify(conflict.event_id)},"position":${conflict.position},"timestamp":"${formatInstant(conflict.timestamp)}","source":${JSON.stringify(conflict.source)},"payload":${conflict.payload ?? 'null'},"received_at":"${formatInstant(conflict.received_at)}"}`;
}
