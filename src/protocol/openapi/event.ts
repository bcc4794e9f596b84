import { type EventLimits, NAME_LENGTH_MAX, TIMESTAMP_LENGTH_MAX } from '../../event.ts';
import type { Schema } from './document.ts';
import { answer, type NamedSchemas, ref } from './schema.ts';

/**
 * The rule of `checkName` in src/event.ts: no control character, no lone surrogate, and one character at least that is
 * not white space. Without look-ahead, so that more regular expression engines than ECMAScript's can read it.
 */
const NAME_PATTERN = '^[^\\p{Cc}\\p{Cs}]*[^\\s\\p{Cc}\\p{Cs}][^\\p{Cc}\\p{Cs}]*$';

const sequence: Schema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

/** The members of an event as a reader gets it. */
export const storedMembers: Readonly<Record<string, Schema>> = {
  position: ref('Position'),
  topic: ref('Name'),
  event_id: ref('Name'),
  timestamp: ref('Instant', 'The instant that was sent, to the microsecond.'),
  source: ref('Name'),
  sequence: { ...sequence, description: 'If one was sent.' },
  payload: { type: 'object', description: 'As it was sent.' },
  processed_at: ref('Instant', 'When it was stored.'),
};

const valueSchemas: NamedSchemas<'Name' | 'Position' | 'Instant'> = {
  Name: {
    type: 'string',
    description: `1 to ${NAME_LENGTH_MAX} characters, not blank, no control characters, no lone surrogates. Compared as it is: case and Unicode form count.`,
    minLength: 1,
    maxLength: NAME_LENGTH_MAX,
    pattern: NAME_PATTERN,
  },
  Position: {
    type: 'integer',
    description: 'Where an event stands in the order of commits, from 1. Never given twice.',
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
  },
  Instant: {
    type: 'string',
    format: 'date-time',
    pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z$',
    description: 'In UTC, with six digits after the second, so that texts sort as the instants do.',
  },
};

export function eventSchemas({
  eventBytesMax,
  depthMax,
  eventsMax,
}: EventLimits): NamedSchemas<'Name' | 'Position' | 'Instant' | 'Event' | 'Batch' | 'StoredEvent'> {
  const list: Schema = { type: 'array', minItems: 1, maxItems: eventsMax, items: ref('Event') };
  return {
    ...valueSchemas,
    Event: {
      type: 'object',
      description: `An event as a publisher sends it. A schema cannot say all: its JSON text has at most ${eventBytesMax} bytes and nests at most ${depthMax} levels deep (the event itself is the first), and no member is given twice.`,
      additionalProperties: false,
      required: ['topic', 'event_id', 'timestamp', 'source', 'payload'],
      properties: {
        topic: ref('Name', 'What it belongs to. With the event_id, its identity.'),
        event_id: ref(
          'Name',
          'Unique within its topic; chosen before the first attempt and kept over every retry.',
        ),
        timestamp: {
          type: 'string',
          format: 'date-time',
          maxLength: TIMESTAMP_LENGTH_MAX,
          description:
            'When it happened: RFC 3339, or ISO 8601 with a date and a time. Without a zone it is UTC.',
        },
        source: ref('Name', 'Who says so.'),
        payload: { type: 'object', description: 'What happened. It comes back as it was sent.' },
        sequence: {
          ...sequence,
          description:
            "The publisher's own counter for this topic and source, if it keeps one. In digits alone.",
        },
      },
    },
    Batch: {
      description: 'An event, an array of events, or an object that holds such an array.',
      oneOf: [
        ref('Event'),
        list,
        { type: 'object', additionalProperties: false, required: ['events'], properties: { events: list } },
      ],
    },
    StoredEvent: answer('An event as a reader gets it.', storedMembers, { optional: ['sequence'] }),
  };
}
