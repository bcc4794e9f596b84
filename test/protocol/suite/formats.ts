import assert from 'node:assert/strict';
import type { PublishAnswer } from '../../../src/protocol/wire.ts';
import type { ProtocolCase, Target } from './case.ts';

/** A layout of the events `e0` and `e1`, which must both be stored. */
type Layout = readonly [what: string, body: (server: Target) => string | Uint8Array, contentType: string];

const lines = (server: Target) => server.events(2).map((event) => JSON.stringify(event));
const JSON_TYPE = 'application/json';
const NDJSON_TYPE = 'application/x-ndjson';

const LAYOUTS: readonly Layout[] = [
  ['an array', (server) => `[${lines(server).join()}]`, JSON_TYPE],
  ['{"events": […]}', (server) => `{"events":[${lines(server).join()}]}`, JSON_TYPE],
  [
    '{"events": […]} with an escape in its name',
    (server) => `{"\\u0065vents":[${lines(server).join()}]}`,
    JSON_TYPE,
  ],
  ['an array with white space', (server) => `\r\n\t [ ${lines(server).join(' , ')} ]\n`, JSON_TYPE],
  ['an array printed over many lines', (server) => JSON.stringify(server.events(2), undefined, 2), JSON_TYPE],
  ['an array behind a byte order mark', (server) => `\ufeff[${lines(server).join()}]`, JSON_TYPE],
  [
    'an array as application/json; charset=utf-8',
    (server) => `[${lines(server).join()}]`,
    `${JSON_TYPE}; charset=utf-8`,
  ],
  [
    'an array as APPLICATION/JSON;charset="UTF-8"',
    (server) => `[${lines(server).join()}]`,
    'APPLICATION/JSON;charset="UTF-8"',
  ],
  ['lines', (server) => `${lines(server).join('\n')}\n`, NDJSON_TYPE],
  ['lines, the last one without its end', (server) => lines(server).join('\n'), NDJSON_TYPE],
  ['lines that end with CR LF', (server) => `${lines(server).join('\r\n')}\r\n`, NDJSON_TYPE],
  ['lines with blank ones between', (server) => `\n\n${lines(server).join('\n \t\r\n\n')}\n\n`, NDJSON_TYPE],
  ['lines behind a byte order mark', (server) => `\ufeff${lines(server).join('\n')}`, NDJSON_TYPE],
  [
    'lines with white space around',
    (server) =>
      lines(server)
        .map((line) => `  ${line}\t`)
        .join('\n'),
    NDJSON_TYPE,
  ],
  ['lines as application/ndjson', (server) => lines(server).join('\n'), 'application/ndjson'],
  ['lines as application/jsonl', (server) => lines(server).join('\n'), 'application/jsonl; charset=utf-8'],
];

export const formatCases: readonly ProtocolCase[] = [
  ...LAYOUTS.map(
    ([what, body, contentType]): ProtocolCase => ({
      name: `events come as ${what}`,
      async run(server) {
        const answer = await server.publishBody(body(server), { headers: { 'content-type': contentType } });
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
        assert.equal(answer.json<PublishAnswer>().processed, 2);
        assert.deepEqual(await server.ids(), ['e0', 'e1']);
      },
    }),
  ),
  {
    name: 'one event comes as itself, also without a content type',
    async run(server) {
      const [a, b] = lines(server);
      assert.equal((await server.publishBody(a!)).status, 200);
      const untyped = await server.send('/publish?ack=stored', { method: 'POST', body: b! });
      assert.equal(untyped.status, 200, untyped.text);
      assert.deepEqual(await server.ids(), ['e0', 'e1']);
    },
  },
  {
    name: 'the members of an event come in any order, with white space and escapes',
    async run(server) {
      const { topic, event_id, source, timestamp } = server.event({ event_id: 'é "1"' });
      const text = `{\n "payload" : {} ,\t"\\u0073ource":${JSON.stringify(source)},"sequence":0 ,
        "event_id": "\\u00e9 \\"1\\"", "timestamp":"${timestamp}","topic":${JSON.stringify(topic)} }`;
      assert.equal((await server.publishBody(text)).status, 200);
      const { events } = await server.page();
      assert.deepEqual(
        events.map((event) => [event.event_id, event.source, event.sequence]),
        [[event_id, source, 0]],
      );
    },
  },
  {
    name: 'a line that is no JSON or no UTF-8 is one bad event, and the lines around it are stored',
    async run(server) {
      const [a, b] = lines(server);
      const body = Buffer.concat([
        Buffer.from(`${a}\n{"topic":\n`),
        Buffer.from('{"topic":"\xff"}\n', 'latin1'),
        Buffer.from(`${b} ${a}\n[${a}]\n${b}\n`),
      ]);
      const answer = await server.publishBody(body, { headers: { 'content-type': NDJSON_TYPE } });
      const { count, processed, errors } = answer.json<PublishAnswer>();
      assert.deepEqual([count, processed], [6, 2]);
      assert.deepEqual(
        errors.map(({ index, code }) => [index, code]),
        [
          [1, 'json_invalid'],
          [2, 'utf8_invalid'],
          [3, 'json_invalid'],
          [4, 'not_an_object'],
        ],
      );
      assert.deepEqual(await server.ids(), ['e0', 'e1']);
    },
  },
  {
    name: 'a body comes in chunks of any size, cut within a character too',
    async run(server) {
      const body = Buffer.from(JSON.stringify(server.event({ source: 'über 😀', payload: { s: '日本語' } })));
      const bytes = Array.from(body, (byte) => Uint8Array.of(byte));
      const answer = await server.publishBody(bytes);
      assert.equal(answer.status, 200, answer.text);
      const { events } = await server.page();
      assert.deepEqual([events[0]?.source, events[0]?.payload], ['über 😀', { s: '日本語' }]);
    },
  },
];
