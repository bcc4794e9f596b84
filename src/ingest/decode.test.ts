import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { changed, codeOf, decode, good, LIMITS } from '../../test/support/decode-body.ts';
import { makeEvent, makeEvents } from '../../test/support/make-events.ts';
import { formatInstant } from '../instant.ts';
import type { BodyFormat } from './decode.ts';

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

it('a large batch keeps its order', () => {
  const events = makeEvents(50, 'order-');
  assert.deepEqual(
    decode(JSON.stringify(events)).events.map((event) => event.event_id),
    events.map((event) => event.event_id),
  );
});
