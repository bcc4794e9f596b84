import assert from 'node:assert/strict';
import type { RejectionCode } from '../../../src/event.ts';
import type { PublishAnswer } from '../../../src/protocol/wire.ts';
import { assertProblem, type ProtocolCase, type Target } from './case.ts';

/** What is wrong, the member and what is sent for it as JSON text, and what must be said of it. */
type Bad = readonly [what: string, member: string, json: string, code: RejectionCode, detail: RegExp];

const NAMES = ['topic', 'event_id', 'source'];
const REQUIRED = [...NAMES, 'timestamp', 'payload'];

const BAD_MEMBERS: readonly Bad[] = [
  ...NAMES.flatMap((name): Bad[] => {
    const says = (rule: string) => new RegExp(`^${name} must ${rule}`);
    return [
      [`an empty ${name}`, name, '""', 'text_empty', says('not be empty')],
      [`a blank ${name}`, name, '"  "', 'text_blank', says('not be blank')],
      [`a ${name} of Unicode white space`, name, '"\u00a0\u3000\\u2028"', 'text_blank', says('not be blank')],
      [`a ${name} with a NUL`, name, '"a\\u0000b"', 'text_control', says('not contain control')],
      [`a ${name} with a line break`, name, '"a\\nb"', 'text_control', says('not contain control')],
      [`a ${name} with DEL`, name, '"a\u007f"', 'text_control', says('not contain control')],
      [
        `a ${name} with a C1 control character`,
        name,
        '"a\u0085"',
        'text_control',
        says('not contain control'),
      ],
      [`a ${name} of 256 characters`, name, text('a', 256), 'text_too_long', says('have at most 255')],
      [
        `a ${name} of 256 characters of four bytes`,
        name,
        text('😀', 256),
        'text_too_long',
        says('have at most'),
      ],
      [`a ${name} of a million characters`, name, text('a', 1e6), 'text_too_long', says('have at most 255')],
      [
        `a ${name} with half a surrogate pair`,
        name,
        '"a\\ud83d"',
        'text_surrogate',
        says('not contain a lone'),
      ],
      [`a ${name} with the other half`, name, '"\\ude00a"', 'text_surrogate', says('not contain a lone')],
      [`a number as ${name}`, name, '7', 'type_invalid', says('be a string')],
      [`an array as ${name}`, name, '["a"]', 'type_invalid', says('be a string')],
    ];
  }),
  ...REQUIRED.map(
    (member): Bad => [
      `null as ${member}`,
      member,
      'null',
      'type_invalid',
      new RegExp(`^${member} must be a`),
    ],
  ),
  ...['"{}"', '[]', '[{}]', '1', 'true'].map(
    (json): Bad => [`${json} as payload`, 'payload', json, 'type_invalid', /^payload must be a JSON object/],
  ),
  ['a number as timestamp', 'timestamp', '1769860800', 'type_invalid', /^timestamp must be a string/],
  ...[
    '',
    'yesterday',
    '1769860800',
    '2026-01-31',
    '12:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T12:60:00Z',
    '2026-01-31T12:00:61Z',
    '2026-01-31T12:00:00+24:00',
    '2026-01-31T12:00:00+01:60',
    '2026-01-31T12:00:00 Europe/Berlin',
    '2026-01-31T12:00:00Z ',
    ' 2026-01-31T12:00:00Z',
    '2026-01-31T12:00:00.Z',
    '12026-01-31T12:00:00Z',
    '-2026-01-31T12:00:00Z',
    '0000-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '２０２６-01-31T12:00:00Z',
    `2026-01-31T12:00:00.${'1'.repeat(1e5)}Z`,
  ].map(
    (stamp): Bad => [
      `the timestamp ${JSON.stringify(stamp.slice(0, 40))}`,
      'timestamp',
      JSON.stringify(stamp),
      'timestamp_invalid',
      /^timestamp must be an RFC 3339 date-time/,
    ],
  ),
  ...['-1', '-0', '1.5', '1.0', '1e3', '9007199254740992', '1e400', '"1"', 'null', 'true', '[1]', '{}'].map(
    (json): Bad => [
      `${json} as sequence`,
      'sequence',
      json,
      'sequence_invalid',
      /^sequence must be an integer/,
    ],
  ),
  ['a misspelled member', 'eventId', '"a"', 'member_unknown', /^"eventId" is no member.*"event_id"/],
  ['a member in another case', 'Payload', '{}', 'member_unknown', /^"Payload" is no member.*"payload"/],
  ['a member of what the server adds', 'position', '1', 'member_unknown', /^"position" is no member/],
  ['a member without a name', '', '1', 'member_unknown', /^"" is no member/],
  ['__proto__ as a member', '__proto__', '{}', 'member_unknown', /^"__proto__" is no member/],
  ['constructor as a member', 'constructor', '{}', 'member_unknown', /^"constructor" is no member/],
  ['a member with a very long name', 'x'.repeat(1e5), '1', 'member_unknown', /^"x{64}" is no member/],
];

function text(character: string, count: number): string {
  return JSON.stringify(character.repeat(count));
}

/** The JSON text of a valid event with one member replaced, or added. */
function withMember(server: Target, member: string, json: string): string {
  const event: Record<string, unknown> = { ...server.event({ event_id: 'bad' }) };
  delete event[member];
  return `${JSON.stringify(event).slice(0, -1)},${JSON.stringify(member)}:${json}}`;
}

function withoutMember(server: Target, member: string): string {
  const event: Record<string, unknown> = { ...server.event({ event_id: 'bad' }) };
  delete event[member];
  return JSON.stringify(event);
}

/** The event alone is refused; between two good ones it is listed, and they are stored. */
function refused(
  what: string,
  bad: (server: Target) => string,
  code: RejectionCode,
  detail: RegExp,
): ProtocolCase {
  return {
    name: `refused as ${code}: ${what.slice(0, 80)}`,
    async run(server) {
      const alone = await server.storesNothing(async () => await server.publishBody(bad(server)));
      const problem = assertProblem(alone, 422, 'events_invalid');
      const [error] = problem['errors'] as PublishAnswer['errors'];
      assert.equal(error?.code, code, error?.detail);
      assert.match(error.detail, detail);
      assert.ok(alone.text.length < 2000, 'the answer repeats what was sent');

      const [a, b] = server.events(2).map((event) => JSON.stringify(event));
      const among = (await server.publishBody(`[${a},${bad(server)},${b}]`)).json<PublishAnswer>();
      assert.deepEqual([among.processed, among.rejected], [2, 1]);
      assert.deepEqual(among.errors, [{ ...error, index: 1 }]);
      assert.deepEqual(await server.ids(), ['e0', 'e1']);
    },
  };
}

export const badEventCases: readonly ProtocolCase[] = [
  ...BAD_MEMBERS.map(([what, member, json, code, detail]) =>
    refused(what, (server) => withMember(server, member, json), code, detail),
  ),
  ...REQUIRED.map((member) =>
    refused(
      `no ${member}`,
      (server) => withoutMember(server, member),
      'member_missing',
      new RegExp(`^${member} is required`),
    ),
  ),
  ...['1', '"event"', 'null', 'true', '[[]]'].map((json) =>
    refused(`${json} as an event`, () => json, 'not_an_object', /must be a JSON object/),
  ),
  ...[...REQUIRED, 'sequence'].map((member) =>
    refused(
      `${member} given twice`,
      (server) => {
        const event = JSON.stringify(server.event({ event_id: 'bad', sequence: 1 }));
        const value = JSON.stringify({ ...server.event(), sequence: 1 }[member as 'topic']);
        return `${event.slice(0, -1)},${JSON.stringify(member)}:${value}}`;
      },
      'member_repeated',
      new RegExp(`^${member} is given twice`),
    ),
  ),
  refused(
    'a member given twice, once with an escape',
    (server) => `${JSON.stringify(server.event()).slice(0, -1)},"\\u0074opic":"other"}`,
    'member_repeated',
    /^topic is given twice/,
  ),
  refused('an empty object', () => '{}', 'member_missing', /^topic is required/),
];
