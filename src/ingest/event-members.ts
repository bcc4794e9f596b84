import type { JsonScanner } from '../content/json-scanner.ts';
import type { Member } from '../event.ts';

/** A bit for each member of an event that has been read. */
export const BIT = {
  topic: 1,
  event_id: 2,
  timestamp: 4,
  source: 8,
  payload: 16,
  sequence: 32,
} as const satisfies Record<Member, number>;

export const ALL_REQUIRED = BIT.topic | BIT.event_id | BIT.timestamp | BIT.source | BIT.payload;

/** The member that is spelled without escapes by the string scanned last: compared in place, byte by byte. */
export function plainMember({ bytes, textStart, textEnd }: JsonScanner): Member | undefined {
  const member = guessMember(textEnd - textStart, bytes[textStart] ?? 0);
  if (member === undefined) return undefined;
  for (let i = 0; i < member.length; i++) {
    if (bytes[textStart + i] !== member.charCodeAt(i)) return undefined;
  }
  return member;
}

/** The one member that has this length and first letter; the caller still compares. */
function guessMember(length: number, firstByte: number): Member | undefined {
  switch (length) {
    case 5:
      return 'topic';
    case 6:
      return 'source';
    case 7:
      return 'payload';
    case 8:
      return firstByte === 0x65 ? 'event_id' : 'sequence';
    case 9:
      return 'timestamp';
    default:
      return undefined;
  }
}
