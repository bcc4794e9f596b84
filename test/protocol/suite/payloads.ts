import assert from 'node:assert/strict';
import { addressOf, type ProtocolCase, payloadText } from './case.ts';

/** Payloads that a reader must get back byte for byte. */
const PAYLOADS: readonly [what: string, json: string][] = [
  ['an empty object', '{}'],
  ['integers that a double cannot hold', '{"n":12345678901234567890,"m":-9007199254740993}'],
  ['fractions as they were written', '{"f":1.0,"g":0.10,"h":1.5e+3,"i":1E-2}'],
  ['numbers beyond a double', '{"big":1e999,"small":1e-999,"zero":-0,"long":0.1234567890123456789012345}'],
  [
    'members that JavaScript treats as its own',
    '{"nested":{"__proto__":1,"constructor":{"prototype":null}},"__proto__":{}}',
  ],
  ['a member given twice', '{"a":1,"a":2}'],
  ['a member without a name', '{"":{"":""}}'],
  ['members in an order of their own', '{"2":0,"1":0,"b":0,"a":0}'],
  ['white space', '{ "a" :\t[ 1 ,\n2 ]\r\n}'],
  ['escapes', '{"s":"\\u0041\\/\\b\\f\\n\\r\\t\\"\\\\\\u0000\\u001f"}'],
  ['half a surrogate pair, escaped', '{"s":"\\ud83d","\\ude00":1}'],
  ['other scripts, composed and not', '{"é":"e\u0301","日本語":"😀 \u2028\u2029 \ufeff"}'],
  ['what looks like the rest of an answer', '{"payload":{},"processed_at":"2026-01-31T12:00:00Z"}'],
  ['every kind of value', '{"a":[null,true,false,0,"",[],{}]}'],
  ['a string of 100,000 characters', `{"s":"${'ab"'.slice(0, 2).repeat(50_000)}"}`],
];

export const payloadCases: readonly ProtocolCase[] = [
  ...PAYLOADS.map(
    ([what, json]): ProtocolCase => ({
      name: `a payload comes back as it was sent: ${what}`,
      async run(server) {
        const sent = await server.publishBody(server.eventText(json));
        assert.equal(sent.status, 200, sent.text);
        assert.equal(payloadText(await server.send(addressOf(server.event()))), json);
        const topic = encodeURIComponent(server.topic());
        assert.equal(payloadText(await server.send(`/events?topic=${topic}`)), json);
        // On a line of its own, a line break between two tokens becomes a space.
        const line = await server.send(`/events?topic=${topic}`, {
          headers: { accept: 'application/x-ndjson' },
        });
        assert.equal(payloadText(line), json.replaceAll(/[\r\n]/g, ' '));
        assert.equal(line.text.indexOf('\n'), line.text.length - 1);
      },
    }),
  ),
  {
    name: 'a payload that is sent again as it came back is a duplicate',
    async run(server) {
      const json = '{"n":12345678901234567890,"f":1.0,"nested":{"__proto__":1}}';
      await server.publishBody(server.eventText(json));
      const back = payloadText(await server.send(addressOf(server.event())));
      const again = await server.publishBody(server.eventText(back ?? ''));
      assert.equal(again.json()['duplicates'], 1);
    },
  },
];
