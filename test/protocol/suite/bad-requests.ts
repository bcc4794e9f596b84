import assert from 'node:assert/strict';
import { assertProblem, type ProtocolCase, type Query, type Target } from './case.ts';

/** What is wrong with a publish request, the request, and what it is answered with. */
interface BadRequest {
  readonly what: string;
  readonly body: (server: Target) => string | Uint8Array;
  readonly headers?: Record<string, string>;
  readonly query?: Query;
  readonly status: number;
  readonly code: string;
  readonly detail: RegExp;
}

const json = (server: Target) => JSON.stringify(server.event());
const NDJSON = { 'content-type': 'application/x-ndjson' };

const NOT_JSON: readonly [what: string, body: (server: Target) => string, detail: RegExp][] = [
  ['nothing', () => '', /at byte 0/],
  ['nothing but white space', () => ' \n', /at byte 2/],
  ['a byte order mark alone', () => '\ufeff', /must be JSON/],
  ['text', () => 'hello', /at byte 0/],
  ['half an event', (server) => json(server).slice(0, -1), /must be JSON/],
  ['half an array', (server) => `[${json(server)}`, /must be JSON/],
  ['text behind an event', (server) => `${json(server)}x`, /the end of the body/],
  ['two events in a row', (server) => `${json(server)}\n${json(server)}`, /the end of the body/],
  ['a bracket too many', (server) => `[${json(server)}]]`, /the end of the body/],
  ['text behind {"events": […]}', (server) => `{"events":[${json(server)}]}1`, /the end of the body/],
  ['a comma too many in an array', (server) => `[${json(server)},]`, /a JSON value/],
  ['a comma too few in an array', (server) => `[${json(server)} ${json(server)}]`, /"," or "\]"/],
  ['a comma too many in an event', (server) => `${json(server).slice(0, -1)},}`, /a member name/],
  ['names in single quotes', () => "{'topic':1}", /a member name/],
  ['a comment', (server) => `/* an event */ ${json(server)}`, /at byte 0/],
  ['NaN', (server) => server.eventText('{"n":NaN}'), /a JSON value/],
  ['a number with a plus', (server) => server.eventText('{"n":+1}'), /a JSON value/],
  ['a number that begins with 0', (server) => server.eventText('{"n":01}'), /"," or "}"/],
  ['a number that ends with a dot', (server) => server.eventText('{"n":1.}'), /a digit/],
  ['a hexadecimal number', (server) => server.eventText('{"n":0x1}'), /"," or "}"/],
  ['an escape that JSON has not', (server) => server.eventText('{"s":"\\x41"}'), /after a backslash/],
  ['an escape cut short', (server) => server.eventText('{"s":"\\u12"}'), /four hexadecimal digits/],
  ['a line break in a string', (server) => server.eventText('{"s":"\n"}'), /no control character/],
  ['a NUL between two tokens', (server) => `[${json(server)}\0]`, /"," or "\]"/],
  ['a NUL at the end', (server) => `${json(server)}\0`, /the end of the body/],
  ['UTF-16', (server) => json(server).replaceAll(/(.)/g, '$1\0'), /must be JSON/],
];

const BAD_REQUESTS: readonly BadRequest[] = [
  ...NOT_JSON.map(([what, body, detail]): BadRequest => {
    return { what: `a body of JSON that is ${what}`, body, status: 400, code: 'json_invalid', detail };
  }),
  ...[Buffer.from([0xff]), Buffer.from([0xc0, 0x80]), Buffer.from([0xed, 0xa0, 0x80])].map(
    (bytes): BadRequest => ({
      what: `a payload with the bytes ${bytes.toString('hex')}, which are no UTF-8`,
      body: (server) =>
        Buffer.concat([Buffer.from(server.eventText('{"s":"')).subarray(0, -1), bytes, Buffer.from('"}}')]),
      status: 400,
      code: 'utf8_invalid',
      detail: /must be UTF-8/,
    }),
  ),
  ...['[]', '{"events":[]}', ' [ ] '].map((body): BadRequest => {
    return {
      what: `the empty list ${body}`,
      body: () => body,
      status: 422,
      code: 'batch_empty',
      detail: /no event/,
    };
  }),
  ...['', '\n', '\r\n \n\t\n'].map((body): BadRequest => {
    const what = `NDJSON without a line: ${JSON.stringify(body)}`;
    return { what, body: () => body, headers: NDJSON, status: 422, code: 'batch_empty', detail: /no event/ };
  }),
  ...['{"events":{}}', '{"events":null}', '{"events":"[]"}', '{"events":1}'].map((body): BadRequest => {
    return { what: body, body: () => body, status: 422, code: 'batch_invalid', detail: /must be an array/ };
  }),
  ...['"x":1', '"events":[]', '"atomic":true'].map(
    (member): BadRequest => ({
      what: `{"events": […]} with ${member} beside it`,
      body: (server) => `{"events":[${json(server)}],${member}}`,
      status: 422,
      code: 'batch_invalid',
      detail: /must be the only member/,
    }),
  ),
  {
    what: 'NDJSON of which no line is an event',
    body: () => 'one\n{"two":2}\n',
    headers: NDJSON,
    status: 422,
    code: 'events_invalid',
    detail: /^event 0: the line must be JSON/,
  },
  ...[
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/json; charset=iso-8859-1',
    'application/json-seq',
    'application/json, application/json',
    'json',
    ';',
    '',
  ].map(
    (type): BadRequest => ({
      what: `the content type ${JSON.stringify(type)}`,
      body: json,
      headers: { 'content-type': type },
      status: 415,
      code: 'media_type_unknown',
      detail: /content type/,
    }),
  ),
  ...['compress', 'lzma', 'gzip, gzip', 'gzip, identity', 'utf-8'].map(
    (encoding): BadRequest => ({
      what: `the content encoding ${encoding}`,
      body: json,
      headers: { 'content-encoding': encoding },
      status: 415,
      code: 'encoding_unknown',
      detail: /is not known: use gzip, zstd, br, deflate or none/,
    }),
  ),
  ...(
    [
      [{ atomic: 'maybe' }, /^atomic must be 1 or 0, true or false, not "maybe"/],
      [{ atomic: '' }, /^atomic must be/],
      [{ ack: 'none' }, /^ack must be one of stored, queued/],
      [{ results: 'some' }, /^results must be one of all, errors/],
      [{ result: 'all' }, /^result is no parameter here; did you mean "results"/],
      [{ topic: 'a' }, /^topic is no parameter here/],
      [{ ['__proto__']: '1' }, /^__proto__ is no parameter here/],
    ] as const
  ).map(
    ([query, detail]): BadRequest => ({
      what: `the query ${JSON.stringify(query)}`,
      body: json,
      query,
      status: 422,
      code: 'parameter_invalid',
      detail,
    }),
  ),
];

export const badRequestCases: readonly ProtocolCase[] = [
  ...BAD_REQUESTS.map(
    ({ what, body, headers = {}, query = {}, status, code, detail }): ProtocolCase => ({
      name: `${status} ${code}: ${what}`,
      async run(server) {
        const answer = await server.storesNothing(
          async () => await server.publishBody(body(server), { headers, query }),
        );
        assert.match(assertProblem(answer, status, code).detail, detail);
        assert.deepEqual(await server.ids(), []);
      },
    }),
  ),
  {
    name: 'a parameter that is given twice is refused, whatever the two say',
    async run(server) {
      const answer = await server.send('/publish?atomic=1&atomic=1', { method: 'POST', body: json(server) });
      assert.match(assertProblem(answer, 422, 'parameter_invalid').detail, /^atomic is given twice/);
    },
  },
];
