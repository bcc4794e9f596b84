import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { makeEvent, makeEvents } from '../../test/support/make-events.ts';
import { spell } from '../../test/support/spell-json.ts';
import { unpackEvents } from '../../test/support/unpack-events.ts';
import { fingerprintOf } from '../content/fingerprint.ts';
import { SekaliError } from '../errors.ts';
import type { Event, EventLimits, Fingerprint, RejectionCode } from '../event.ts';
import { formatInstant } from '../instant.ts';
import { type Key, KeyHasher, SECRET_BYTES } from '../store/dedup/key.ts';
import { EventPack } from '../store/event-pack.ts';
import { BatchDecoder, type BodyFormat, type IndexedRejection } from './decode.ts';

const LIMITS: EventLimits = { eventBytesMax: 4096, depthMax: 10, eventsMax: 50 };
const SECRETS = { keySecret: new Uint8Array(SECRET_BYTES).fill(5), contentSeed: { high: 3, low: 4 } };

interface Decoded {
  readonly events: Event[];
  /** Where each of the events stands in the request. */
  readonly indexes: number[];
  readonly rejected: readonly IndexedRejection[];
}

function decode(body: string | Uint8Array, format: BodyFormat = 'json', limits = LIMITS): Decoded {
  return decodeInto(new EventPack(), body, format, limits);
}

function decodeInto(
  pack: EventPack,
  body: string | Uint8Array,
  format: BodyFormat = 'json',
  limits = LIMITS,
): Decoded {
  const before = pack.length;
  const decoder = new BatchDecoder(limits, SECRETS);
  const { first, accepted, rejected } = decoder.decode(Buffer.from(body), format, pack);
  assert.deepEqual([first, pack.length], [before, before + accepted]);
  const count = accepted + rejected.length;
  const bad = new Set(rejected.map(({ index }) => index));
  const indexes = Array.from({ length: count }, (_, index) => index).filter((index) => !bad.has(index));
  assert.equal(indexes.length, accepted);
  return { events: unpackEvents(pack, first, accepted), indexes, rejected };
}

function codeOf(body: string | Uint8Array, format: BodyFormat = 'json'): string {
  try {
    decode(body, format);
  } catch (error) {
    assert.ok(error instanceof SekaliError, String(error));
    return error.code;
  }
  return 'none';
}

const good = JSON.stringify(makeEvent());
/** The good event with a member in place of its own, as JSON text. */
function changed(member: string, value: string): string {
  return JSON.stringify({ ...makeEvent(), [member]: '@' }).replace('"@"', value);
}

describe('a body', () => {
  it('is an event, an array of events, or an object that holds the array', () => {
    for (const body of [good, `[${good}]`, `{"events":[${good}]}`, ` { "ev\\u0065nts" : [ ${good} ] } `]) {
      const { events, indexes, rejected } = decode(body);
      assert.deepEqual(
        events.map((event) => event.event_id),
        ['order-1'],
        body,
      );
      assert.deepEqual([indexes, rejected], [[0], []]);
    }
  });

  it('is a line for each event, blank lines aside, however they end', () => {
    const lines = `${good}\r\n\n  \t\r\n${good}\n${good}`;
    for (const body of [lines, `${lines}\n`, `\n${lines}\r\n\n`]) {
      assert.deepEqual(decode(body, 'ndjson').indexes, [0, 1, 2]);
    }
  });

  it('may begin with a byte order mark', () => {
    assert.equal(decode(`\ufeff${good}`).events.length, 1);
    assert.equal(decode(`\ufeff${good}\n${good}`, 'ndjson').events.length, 2);
    assert.equal(codeOf(`${good}\ufeff`), 'json_invalid');
  });

  it('gives all that an event has', () => {
    const text = `{"topic":"t\\u00e9","event_id":"🎉","timestamp":"2026-01-31T12:00:00+01:00","source":"s","payload":{ "a" : [1.0] },"sequence":7}`;
    const event = decode(text).events[0];
    assert.deepEqual(event && { ...event, timestamp: formatInstant(event.timestamp), content: undefined }, {
      topic: 'té',
      event_id: '🎉',
      timestamp: '2026-01-31T11:00:00.000000Z',
      source: 's',
      payload: '{ "a" : [1.0] }',
      content: undefined,
      sequence: 7,
    });
  });

  it('gives the same events, whichever way it lays them out', () => {
    const event = fc.record({
      event_id: fc.string({ unit: 'grapheme', maxLength: 3 }),
      payload: fc.object(),
    });
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 10 }), (drawn) => {
        const events = drawn.map((change) => makeEvent(JSON.parse(JSON.stringify(change)) as typeof change));
        const list = JSON.stringify(events);
        const asList = decode(list);
        assert.deepEqual(decode(`{"events":${list}}`), asList);
        assert.deepEqual(decode(events.map((item) => JSON.stringify(item)).join('\n'), 'ndjson'), asList);
      }),
    );
  });
});

describe('a body that is refused', () => {
  const refused: [string, string | Uint8Array, BodyFormat?][] = [
    ['json_invalid', ''],
    ['json_invalid', ' \n'],
    ['json_invalid', '{'],
    ['json_invalid', `[${good}`],
    ['json_invalid', `[${good},]`],
    ['json_invalid', `[${good} ${good}]`],
    ['json_invalid', `${good}${good}`],
    ['json_invalid', `${good}\n${good}`],
    ['json_invalid', `${good}\0`],
    ['json_invalid', `{"events":[${good}]`],
    ['json_invalid', `{"events":[${good}]}]`],
    ['json_invalid', good.replace('"source"', 'source')],
    ['utf8_invalid', Buffer.from(good.replace('shop', 'sh\u00f6p'), 'latin1')],
    ['utf8_invalid', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['batch_invalid', `{"events":${good}}`],
    ['batch_invalid', `{"events":null}`],
    ['batch_invalid', `{"events":[${good}],"topic":"orders"}`],
    ['batch_empty', '[]'],
    ['batch_empty', '{"events":[]}'],
    ['batch_empty', '', 'ndjson'],
    ['batch_empty', '\n \r\n\t\n', 'ndjson'],
  ];
  for (const [code, body, format] of refused) {
    it(`is ${code}: ${format ?? 'json'} ${JSON.stringify(body.toString().slice(0, 60))}`, () => {
      assert.equal(codeOf(body, format), code);
    });
  }

  it('says where it is broken', () => {
    assert.throws(() => decode(`[${good},x]`), {
      code: 'json_invalid',
      message: `the body must be JSON: expected a JSON value at byte ${good.length + 2}`,
      members: { offset: good.length + 2 },
    });
  });

  for (const [format, bodyOf] of [
    ['json', (texts: string[]) => `[${texts.join(',')}]`],
    ['ndjson', (texts: string[]) => texts.join('\n')],
  ] as const) {
    it(`holds more events than it may: ${format}`, () => {
      const texts = Array.from({ length: LIMITS.eventsMax + 1 }, () => good);
      assert.equal(decode(bodyOf(texts.slice(1)), format).events.length, LIMITS.eventsMax);
      assert.throws(() => decode(bodyOf(texts), format), {
        code: 'batch_too_long',
        members: { limit: LIMITS.eventsMax },
      });
    });
  }
});

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

describe('a line that is broken', () => {
  it('is one event that is not valid; the lines around it are taken', () => {
    const body = `${good}\n{"topic":"orders"\nnonsense\n${good} ${good}\n${good}`;
    const { indexes, rejected } = decode(body, 'ndjson');
    assert.deepEqual(indexes, [0, 4]);
    assert.deepEqual(
      rejected.map(({ index, code, detail }) => [index, code, detail]),
      [
        [1, 'json_invalid', 'the line must be JSON: expected "," or "}" at byte 17'],
        [2, 'json_invalid', 'the line must be JSON: expected a JSON value at byte 0'],
        [3, 'json_invalid', `the line must be JSON: expected the end of the line at byte ${good.length + 1}`],
      ],
    );
  });

  it('that is not UTF-8 spoils no other', () => {
    const latin1 = Buffer.from(changed('source', '"sh\u00f6p"'), 'latin1');
    const utf8 = Buffer.from(changed('source', '"sh\u00f6p"'));
    const { events, rejected } = decode(
      Buffer.concat([utf8, Buffer.from('\n'), latin1, Buffer.from('\n'), utf8]),
      'ndjson',
    );
    assert.deepEqual(
      events.map((event) => event.source),
      ['sh\u00f6p', 'sh\u00f6p'],
    );
    assert.deepEqual(rejected, [
      { index: 1, event_id: undefined, code: 'utf8_invalid', detail: 'the line must be UTF-8' },
    ]);
  });

  it('does not reach into the next one', () => {
    const { indexes, rejected } = decode(`${good.slice(0, -1)}\n}\n"a\n${good}`, 'ndjson');
    assert.deepEqual(indexes, [3]);
    assert.deepEqual(
      rejected.map((rejection) => rejection.code),
      ['json_invalid', 'json_invalid', 'json_invalid'],
    );
  });
});

const ROOMY = { ...LIMITS, eventBytesMax: 1_000_000, depthMax: 100 };

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

describe('the pack', () => {
  const names = fc.string({
    unit: fc.constantFrom('a', '"', '\\', 'é', '漢', '🎉'),
    minLength: 1,
    maxLength: 9,
  });
  const drawnEvent = fc.record({
    topic: names,
    event_id: names,
    payload: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }),
  });

  it('has the key and the content of each event, however it is spelled', () => {
    const hasher = new KeyHasher(SECRETS.keySecret);
    fc.assert(
      fc.property(fc.array(drawnEvent, { minLength: 1, maxLength: 8 }), fc.nat(), (drawn, how) => {
        const pack = new EventPack();
        decodeInto(
          pack,
          `[${drawn.map((change) => spell(makeEvent(change), how)).join(',')}]`,
          'json',
          ROOMY,
        );
        assert.equal(pack.length, drawn.length);
        const key: Key = { a: 0, b: 0, c: 0, d: 0 };
        drawn.forEach(({ topic, event_id, payload }, i) => {
          pack.readKey(i, key);
          assert.deepEqual(key, { ...hasher.hash(topic, event_id) });
          const content = fingerprintOf(Buffer.from(JSON.stringify(payload)), SECRETS.contentSeed);
          assert.deepEqual(pack.content(i), content);
        });
      }),
    );
  });

  it('takes the events of one request after those of another, and grows with them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(drawnEvent, { minLength: 1, maxLength: 8 }), { maxLength: 8 }),
        (requests) => {
          const pack = new EventPack({ bytes: new ArrayBuffer(0), words: new ArrayBuffer(0) });
          for (const drawn of requests) decodeInto(pack, JSON.stringify(drawn.map(makeEvent)), 'json', ROOMY);
          assert.deepEqual(
            unpackEvents(pack).map(({ topic, event_id, payload }) => [topic, event_id, payload]),
            requests.flat().map(({ topic, event_id, payload }) => [topic, event_id, JSON.stringify(payload)]),
          );
        },
      ),
    );
  });

  it('is as it was before a request that is refused', () => {
    const pack = new EventPack();
    decodeInto(pack, good);
    const before = { length: pack.length, bytesUsed: pack.bytesUsed };
    for (const body of [`[${good},${good},x]`, `[${good},${good}`, `{"events":[${good}],"a":1}`]) {
      assert.throws(() => decodeInto(pack, body), SekaliError);
      assert.deepEqual({ length: pack.length, bytesUsed: pack.bytesUsed }, before);
    }
    decodeInto(pack, changed('event_id', '"after"'));
    assert.deepEqual(
      unpackEvents(pack).map(({ event_id }) => event_id),
      ['order-1', 'after'],
    );
  });

  it('is used again for other topics, by a decoder that remembers those before', () => {
    const decoder = new BatchDecoder(LIMITS, SECRETS);
    let pack = new EventPack();
    for (const topics of [['a', 'b', 'a'], ['b'], ['c', 'a', 'b'], ['a']]) {
      pack.clear();
      const events = topics.map((topic, i) => makeEvent({ topic, event_id: String(i) }));
      decoder.decode(Buffer.from(JSON.stringify(events)), 'json', pack);
      assert.deepEqual(
        unpackEvents(pack).map(({ topic }) => topic),
        topics,
      );
      const message = pack.toMessage();
      pack = EventPack.fromMessage(structuredClone(message, { transfer: [message.bytes, message.words] }));
    }
  });

  it('names each topic once, however many there are', () => {
    const decoder = new BatchDecoder({ ...LIMITS, eventsMax: 10_000 }, SECRETS);
    const pack = new EventPack();
    const topics = Array.from({ length: 5000 }, (_, i) => `topic-${i}`);
    const sent = topics.flatMap((topic, i) => [topic, topics[Math.max(0, i - 1)] ?? topic]);
    const events = sent.map((topic, i) => makeEvent({ topic, event_id: String(i) }));
    decoder.decode(Buffer.from(JSON.stringify(events)), 'json', pack);
    assert.deepEqual(
      unpackEvents(pack).map(({ topic }) => topic),
      sent,
    );
    assert.equal(new Set(pack.topics).size, pack.topics.length);
  });
});

it('a large batch keeps its order', () => {
  const events = makeEvents(50, 'order-');
  assert.deepEqual(
    decode(JSON.stringify(events)).events.map((event) => event.event_id),
    events.map((event) => event.event_id),
  );
});
