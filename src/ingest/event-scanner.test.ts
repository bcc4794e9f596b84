import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { changed, decode, good, ROOMY } from '../../test/support/decode-body.ts';
import { makeEvent } from '../../test/support/make-events.ts';
import { spell } from '../../test/support/spell-json.ts';
import type { Fingerprint, RejectionCode } from '../event.ts';

function nested(levels: number): string {
  return `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
}

/** The event_id by which a rejected event is named. */
function named(text: string): string | undefined {
  return decode(text).rejected[0]?.event_id;
}

describe('an event that is rejected', () => {
  const rejections: Record<RejectionCode, [text: string, detail: string][]> = {
    json_invalid: [], // a line's alone: see below
    utf8_invalid: [],
    not_an_object: [
      ['1', 'an event must be a JSON object'],
      ['[1]', 'an event must be a JSON object'],
    ],
    member_unknown: [
      [changed('eventId', '1'), '"eventId" is no member of an event; did you mean "event_id"?'],
      [changed('position', '1'), '"position" is no member of an event'],
      [changed('__proto__', '1'), '"__proto__" is no member of an event'],
    ],
    member_missing: [
      ['{}', 'topic is required'],
      [good.replace('"source":"shop",', ''), 'source is required'],
    ],
    member_repeated: [[good.replace('{', '{"topic":"a",'), 'topic is given twice']],
    type_invalid: [
      [changed('topic', '1'), 'topic must be a string'],
      [changed('event_id', 'null'), 'event_id must be a string'],
      [changed('timestamp', '1769860800'), 'timestamp must be a string'],
      [changed('payload', '"{}"'), 'payload must be a JSON object'],
      [changed('payload', '[]'), 'payload must be a JSON object'],
    ],
    text_empty: [[changed('topic', '""'), 'topic must not be empty']],
    text_too_long: [
      [changed('topic', `"${'a'.repeat(256)}"`), 'topic must have at most 255 characters'],
      [changed('source', `"${'\\u0061'.repeat(600)}"`), 'source must have at most 255 characters'],
    ],
    text_blank: [[changed('event_id', '" \u2003"'), 'event_id must not be blank']],
    text_control: [[changed('source', '"a\\u0000"'), 'source must not contain control characters']],
    text_surrogate: [
      [changed('topic', '"\\ud800"'), 'topic must not contain a lone surrogate'],
      [changed('event_id', '"a\\udc00"'), 'event_id must not contain a lone surrogate'],
      [changed('source', '"\\udc00\\ud800"'), 'source must not contain a lone surrogate'],
    ],
    timestamp_invalid: [
      [changed('timestamp', '"today"'), 'timestamp must be an RFC 3339 date-time, as 2026-01-31T12:00:00Z'],
    ],
    sequence_invalid: [
      [changed('sequence', '-1'), 'sequence must be an integer from 0 to 9007199254740991'],
      [changed('sequence', '9007199254740992'), 'sequence must be an integer from 0 to 9007199254740991'],
      [changed('sequence', 'null'), 'sequence must be an integer from 0 to 9007199254740991'],
    ],
    event_too_large: [
      [
        changed('payload', `{"a":"${'x'.repeat(5000)}"}`),
        `an event must have at most 4096 bytes; this one has ${changed('payload', `{"a":"${'x'.repeat(5000)}"}`).length}`,
      ],
    ],
    too_deep: [
      [changed('payload', nested(10)), 'an event must not nest deeper than 10 levels'],
      [changed('eventId', nested(10)), 'an event must not nest deeper than 10 levels'],
      ['['.repeat(11) + ']'.repeat(11), 'an event must not nest deeper than 10 levels'],
    ],
  };
  for (const [code, cases] of Object.entries(rejections)) {
    for (const [text, detail] of cases) {
      it(`is ${code}: ${detail}`, () => {
        const { rejected } = decode(`[${text}]`);
        assert.deepEqual(
          rejected.map((rejection) => [rejection.code, rejection.detail]),
          [[code, detail]],
        );
      });
    }
  }

  it('has all that it may', () => {
    assert.deepEqual(decode(changed('payload', nested(9))).rejected, []);
  });

  it('is named by its event_id where that could be read', () => {
    assert.equal(named('{"event_id":"a"}'), 'a');
    assert.equal(named('{"topic":1,"event_id":"a"}'), 'a');
    assert.equal(named('{"event_id":1}'), undefined);
    assert.equal(named('{"event_id":""}'), undefined);
    assert.equal(named('{}'), undefined);
  });

  it('tells the first of its faults', () => {
    assert.equal(decode('{"topic":"","event_id":1}').rejected[0]?.code, 'text_empty');
    assert.equal(decode('{"event_id":1,"topic":""}').rejected[0]?.code, 'type_invalid');
  });

  const bad = [
    '1',
    '{}',
    changed('topic', '""'),
    changed('eventId', '{"events":[{}]}'),
    changed('payload', nested(40)),
    changed('payload', nested(40).replace('[]', '["]}\\"",{"\\\\":[]}]')),
    changed('payload', `{"a":"${'x'.repeat(5000)}"}`),
  ];

  it('leaves its neighbours as they are', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.constantFrom(...bad)), { minLength: 1, maxLength: 20 }), (drawn) => {
        const texts = drawn.map((text) => text ?? good);
        for (const batch of [decode(`[${texts.join(' , ')}]`), decode(texts.join('\n'), 'ndjson')]) {
          const expected = texts.flatMap((text, index) => (text === good ? [index] : []));
          assert.deepEqual(batch.indexes, expected);
          assert.ok(batch.events.every((event) => event.payload === '{"total":129.95}'));
          assert.deepEqual(
            batch.rejected.map((rejection) => rejection.index),
            texts.flatMap((text, index) => (text === good ? [] : [index])),
          );
        }
      }),
    );
  });
});

function contentOf(text: string): Fingerprint | undefined {
  return decode(text, 'json', ROOMY).events[0]?.content;
}

describe('a payload', () => {
  const payloads = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }), {
    maxKeys: 5,
  });

  it('is kept as the text it came as', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), (payload, seed) => {
        const text = spell(payload, seed).trim();
        const event = decode(changed('payload', ` ${text}\t`), 'json', ROOMY).events[0];
        assert.equal(event?.payload, text);
      }),
      { numRuns: 500 },
    );
  });

  it('that no parser of values could give back is kept too', () => {
    const text = '{"n": 12345678901234567890, "f": 1.0, "e":1E400, "nested": {"__proto__": 1}, "n":-0}';
    assert.equal(decode(changed('payload', text)).events[0]?.payload, text);
  });

  it('is what the content is of, and nothing else', () => {
    const other = makeEvent({
      topic: 'a',
      event_id: 'b',
      source: 'c',
      timestamp: '2027-01-01T00:00:00Z',
      sequence: 9,
    });
    assert.deepEqual(contentOf(JSON.stringify(other)), contentOf(good));
    assert.notDeepEqual(contentOf(changed('payload', '{"total":129.950}')), contentOf(good));
    fc.assert(
      fc.property(payloads, fc.nat(), fc.nat(), (payload, how, otherwise) => {
        assert.deepEqual(
          contentOf(spell({ ...makeEvent(), payload }, how)),
          contentOf(spell({ ...makeEvent(), payload }, otherwise)),
        );
      }),
    );
  });
});

it('a name is read as it is meant, however it is spelled', () => {
  const names = fc.string({ unit: fc.constantFrom('a', '"', '\\', '/', 'é', '漢', '🎉'), minLength: 1 });
  fc.assert(
    fc.property(names, names, names, fc.nat(), (topic, event_id, source, seed) => {
      const event = decode(spell(makeEvent({ topic, event_id, source }), seed)).events[0];
      assert.deepEqual([event?.topic, event?.event_id, event?.source], [topic, event_id, source]);
    }),
  );
});
