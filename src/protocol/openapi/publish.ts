import type { RejectionCode } from '../../event.ts';
import { CONTENT_ENCODINGS, MEDIA_JSON, MEDIA_NDJSON, PUBLISH_MEDIA } from '../wire.ts';
import type { Media, PathItem } from './document.ts';
import { publishAnswers, publishLines, publishRequests } from './examples.ts';
import { problems } from './problem.ts';
import { answer, count, type NamedSchemas, orNull, ref } from './schema.ts';

/** Why an event is not valid. docs/reference/errors.md says what to do about each. */
export const REJECTIONS = {
  json_invalid: 'The line is not JSON.',
  utf8_invalid: 'The line is not UTF-8.',
  not_an_object: 'The event is not a JSON object.',
  member_unknown: 'A member is none that an event has.',
  member_missing: 'A member is missing.',
  member_repeated: 'A member is given twice.',
  type_invalid: 'A member has the wrong JSON type.',
  text_empty: 'A name is empty.',
  text_too_long: 'A name is too long.',
  text_blank: 'A name is blank.',
  text_control: 'A name has a control character.',
  text_surrogate: 'A name has a lone surrogate.',
  timestamp_invalid: 'The timestamp is no date-time.',
  sequence_invalid: 'The sequence is no integer from 0 to 2^53 - 1.',
  event_too_large: 'The event is over the size limit.',
  too_deep: 'The event nests too deep.',
} as const satisfies Record<RejectionCode, string>;

const index = count('Of the event in the request, from 0.');

export const publishSchemas: NamedSchemas<'Rejection' | 'Receipt' | 'PublishAnswer'> = {
  Rejection: answer('Why one event of a request is not valid.', {
    index,
    event_id: orNull('string', 'As it was sent; null where it could not be read.'),
    code: { type: 'string', enum: Object.keys(REJECTIONS), description: 'For programs; it does not change.' },
    detail: { type: 'string', description: 'Names the member and the rule.' },
  }),
  Receipt: answer(
    'What became of one event of a request.',
    {
      index,
      verdict: { type: 'string', enum: ['stored', 'duplicate', 'conflict', 'rejected'] },
      topic: orNull('string', 'Null when rejected.'),
      event_id: orNull('string', 'Null when rejected and not readable.'),
      position: orNull('integer', 'Of the first event with this key; null when rejected.'),
      first_seen_at: orNull(
        'string',
        'When the first event with this key was stored; null when rejected, and when that event is retired.',
      ),
      retired: {
        type: 'boolean',
        const: true,
        description: 'Retention has removed the first event; its key is still known. Absent otherwise.',
      },
    },
    { optional: ['retired'] },
  ),
  PublishAnswer: answer(
    'What became of a request. `count` = `accepted` + `rejected`, and `accepted` = `processed` + `duplicates` + `conflicts` + `queued`.',
    {
      status: {
        type: 'string',
        enum: ['accepted', 'partial'],
        description: '`partial`: some were rejected.',
      },
      count: count('Events in the request.'),
      accepted: count('Valid ones.'),
      queued: count('Accepted, and not stored yet. Always 0 without a queue server.'),
      processed: orNull('integer', 'New ones, now durable. Null while queued.'),
      duplicates: orNull('integer', 'Stored before with the same content. Null while queued.'),
      conflicts: orNull('integer', 'Stored before with other content, which stays. Null while queued.'),
      rejected: count('Events that are not valid.'),
      errors: { type: 'array', items: ref('Rejection'), description: 'One for each rejected event.' },
      results: {
        type: 'array',
        items: ref('Receipt'),
        description: 'One for each event, in the order of the request. With `results=all` only.',
      },
    },
    { optional: ['results'] },
  ),
};

const lines: Media = {
  schema: { type: 'string', description: 'An event on each line; blank lines do not count.' },
};

export function publishPaths(bodyBytesMax: number, eventsMax: number): Readonly<Record<string, PathItem>> {
  const ndjsonNames = Object.entries(PUBLISH_MEDIA).filter(([, format]) => format === 'ndjson');
  return {
    '/publish': {
      post: {
        operationId: 'publish',
        tags: ['Publish'],
        summary: 'Hand in events',
        description: `Stores each event whose topic and event_id are not known yet, and says of each other one whether it is a duplicate or a conflict. The answer is sent when all of it is durable. A request that got no answer, or a retryable one, can be sent again as often as it takes: nothing is stored twice.

A valid event is stored whatever its neighbours are like: those that are not valid are listed in \`errors\`.`,
        parameters: [
          {
            name: 'atomic',
            in: 'query',
            description: 'All events or none: one that is not valid refuses the whole request.',
            schema: { type: 'boolean', default: false },
          },
          {
            name: 'ack',
            in: 'query',
            description:
              'When to answer: once the events are stored, or once the queue server has them. Without a queue server, with `atomic` and with `results=all`, both wait for the store.',
            schema: { type: 'string', enum: ['stored', 'queued'], default: 'queued' },
          },
          {
            name: 'results',
            in: 'query',
            description: '`all` adds a receipt for each event.',
            schema: { type: 'string', enum: ['all', 'errors'], default: 'errors' },
          },
          {
            name: 'Content-Encoding',
            in: 'header',
            description: 'How the body is compressed, if it is.',
            schema: { type: 'string', enum: [...CONTENT_ENCODINGS, 'x-gzip', 'identity'] },
          },
        ],
        requestBody: {
          required: true,
          description: `In UTF-8, at most ${bodyBytesMax} bytes, before and after decompression, and ${eventsMax} events. Without a content type it is taken for JSON. A line that is not JSON is one event that is not valid; JSON that is broken refuses the whole request.`,
          content: {
            [MEDIA_JSON]: {
              schema: ref('Batch'),
              examples: {
                one: { summary: 'An event', value: publishRequests.one },
                list: { summary: 'A list: a retry, a conflict and a new one', value: publishRequests.list },
                envelope: { summary: 'A list in an object', value: publishRequests.envelope },
              },
            },
            ...Object.fromEntries(ndjsonNames.map(([name]) => [name, lines])),
            [MEDIA_NDJSON]: {
              ...lines,
              examples: {
                lines: { summary: 'A line per event, one of them not valid', value: publishLines },
              },
            },
          },
        },
        responses: {
          200: {
            description: 'The request was taken.',
            content: {
              [MEDIA_JSON]: {
                schema: ref('PublishAnswer'),
                examples: Object.fromEntries(
                  Object.entries(publishAnswers).map(([name, value]) => [name, { value }]),
                ),
              },
            },
          },
          ...problems(
            'origin_refused',
            'request_timeout',
            'encoding_invalid',
            'utf8_invalid',
            'json_invalid',
            'body_too_large',
            'batch_too_long',
            'event_too_large',
            'media_type_unknown',
            'encoding_unknown',
            'batch_empty',
            'batch_invalid',
            'events_invalid',
            'batch_refused',
            'overloaded',
            'store_unavailable',
            'queue_unavailable',
          ),
        },
      },
    },
  };
}
