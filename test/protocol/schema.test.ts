/**
 * The rules for an event are stated twice: in the schema that the description publishes, and in the scanner that decides.
 * Here each is held against the other.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { BatchDecoder } from '../../src/ingest/decode.ts';
import { EventPack } from '../../src/store/event-pack.ts';
import { API_LIMITS, ApiValidator, api } from '../support/api-validator.ts';
import { makeEvent } from '../support/make-events.ts';
import { spell } from '../support/spell-json.ts';

const isEvent = new ApiValidator().compile({ $ref: '#/components/schemas/Event' });

const DECODER = new BatchDecoder(API_LIMITS, {
  keySecret: new Uint8Array(16),
  contentSeed: { high: 1, low: 2 },
});

/** Why the scanner rejects this text of one event, or undefined when it accepts it. */
function rejectionOf(text: string): string | undefined {
  const { accepted, rejected } = DECODER.decode(Buffer.from(`[${text}]`), 'json', new EventPack());
  assert.equal(accepted + rejected.length, 1);
  return rejected[0]?.code;
}

const letter = fc.constantFrom(
  'a',
  'Z',
  '7',
  ' ',
  '_',
  'é',
  '\u00a0',
  '\u2028',
  '\ufeff',
  '漢',
  '🎉',
  '\u{10ffff}',
);
const goodName = fc
  .tuple(fc.constantFrom('a', 'é', '🎉', '"', '\\', '/'), fc.string({ unit: letter, maxLength: 254 }))
  .map((parts) => parts.join(''));
const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom('\ud83d', '\udc00', '\u0000', '\u0085'), letter),
});
const trickyName = fc.constantFrom(
  '',
  ' ',
  '\u00a0\u2003\ufeff',
  '\u2028\u2029',
  'a'.repeat(255),
  'a'.repeat(256),
  '🎉'.repeat(255),
  '🎉'.repeat(256),
  `${'🎉'.repeat(254)}ab`,
  '\ud83d'.repeat(256),
  ...['\u0000', '\u001f', '\u007f', '\u0080', '\u009f', '\u00a0', '\ud800', '\udfff'].flatMap((character) => [
    character,
    `a${character}`,
    `${character}a`,
  ]),
);

const goodTimestamp = fc.constantFrom(
  '2026-01-31T12:00:00Z',
  '2026-01-31T12:00:00.123456+23:59',
  '2024-02-29t23:59:60z',
  '20260131 120000,5',
  '0001-01-01T00:00:00',
  '9999-12-31T23:59:59.999999Z',
  `2026-01-31T12:00:00.${'9'.repeat(107)}Z`,
);
const trickyTimestamp = fc.constantFrom(
  '',
  'now',
  '2026-01-31',
  '2025-02-29T12:00:00Z',
  '2026-01-31T24:00:00Z',
  '2026-01-31T12:00:00+24:00',
  '0000-01-01T00:00:00+00:01',
  '9999-12-31T23:59:59-00:01',
  ' 2026-01-31T12:00:00Z',
  `2026-01-31T12:00:00.${'9'.repeat(108)}Z`,
  '２０２６-01-31T12:00:00Z',
);

const anyJson = fc.jsonValue({ stringUnit: 'binary', depthSize: 'small' });
const anyObject = fc.dictionary(anyText, anyJson, { maxKeys: 4 });

const goodEvent = fc.record(
  {
    topic: goodName,
    event_id: goodName,
    timestamp: goodTimestamp,
    source: goodName,
    payload: anyObject,
    sequence: fc.oneof(fc.constantFrom(0, Number.MAX_SAFE_INTEGER), fc.maxSafeNat()),
  },
  { requiredKeys: ['topic', 'event_id', 'timestamp', 'source', 'payload'] },
);

type Members = Record<string, unknown>;
const memberName = fc.constantFrom('topic', 'event_id', 'timestamp', 'source', 'payload', 'sequence');
const otherName = fc.oneof(
  fc.constantFrom('eventId', 'Topic', 'position', '__proto__', 'toString', ''),
  anyText,
);

/** One thing that may be wrong with an event: a change to its members. */
const mutation: fc.Arbitrary<(members: Members) => Members> = fc.oneof(
  memberName.map((name) => (members: Members) => without(members, name)),
  fc.tuple(otherName, anyJson).map(([name, value]) => put(name, value)),
  fc.tuple(memberName, anyJson).map(([name, value]) => put(name, value)),
  fc
    .tuple(fc.constantFrom('topic', 'event_id', 'source'), fc.oneof(trickyName, anyText))
    .map(([name, value]) => put(name, value)),
  fc.oneof(trickyTimestamp, anyText).map((value) => put('timestamp', value)),
  fc
    .constantFrom<unknown>(-1, 0.5, 2 ** 53, 1e21, -0, '1', null, true, [1])
    .map((value) => put('sequence', value)),
);

function put(name: string, value: unknown): (members: Members) => Members {
  // Not by assignment, which would take `__proto__` for something else.
  return (members) => Object.fromEntries([...Object.entries(members), [name, value]]);
}

function without(members: Members, name: string): Members {
  return Object.fromEntries(Object.entries(members).filter(([other]) => other !== name));
}

describe('the schema of an event and the scanner', () => {
  it('both accept what is valid, however it is spelled', () => {
    fc.assert(
      fc.property(goodEvent, fc.nat(), (event, seed) => {
        const text = spell(event, seed);
        assert.equal(rejectionOf(text), undefined, text);
        assert.ok(isEvent(JSON.parse(text)), JSON.stringify(isEvent.errors));
      }),
      { numRuns: 1000 },
    );
  });

  it('agree on what is changed in one or two places', () => {
    const verdicts = { accepted: 0, rejected: 0 };
    fc.assert(
      fc.property(
        goodEvent,
        fc.array(mutation, { minLength: 1, maxLength: 2 }),
        fc.nat(),
        (event, mutations, seed) => {
          const text = spell(
            mutations.reduce<Members>((members, mutate) => mutate(members), event),
            seed,
          );
          const accepted = rejectionOf(text) === undefined;
          verdicts[accepted ? 'accepted' : 'rejected']++;
          assert.equal(isEvent(JSON.parse(text)), accepted, text);
        },
      ),
      { numRuns: 5000 },
    );
    assert.ok(verdicts.accepted > 100 && verdicts.rejected > 100, JSON.stringify(verdicts));
  });

  it('agree that whatever is no object is no event', () => {
    fc.assert(
      fc.property(fc.oneof(anyJson, fc.array(goodEvent, { maxLength: 2 })), fc.nat(), (value, seed) => {
        assert.equal(isEvent(value), rejectionOf(spell(value, seed)) === undefined);
      }),
    );
  });
});

/** A good event with one more member. */
function withMember(member: string): string {
  return JSON.stringify(makeEvent()).replace(/\}$/, `,${member}}`);
}

function withPayload(payload: string): string {
  return JSON.stringify(makeEvent()).replace('{"total":129.95}', payload);
}

function nested(levels: number): string {
  return '{"a":'.repeat(levels - 1) + '{}' + '}'.repeat(levels - 1);
}

describe('what the schema says in words', () => {
  const description = api.components.schemas['Event']?.description ?? '';

  it('an event nests at most as deep as it says', () => {
    assert.match(description, new RegExp(`at most ${API_LIMITS.depthMax} levels`));
    assert.equal(rejectionOf(withPayload(nested(API_LIMITS.depthMax - 1))), undefined);
    assert.equal(rejectionOf(withPayload(nested(API_LIMITS.depthMax))), 'too_deep');
  });

  it('an event has at most as many bytes as it says', () => {
    assert.match(description, new RegExp(`at most ${API_LIMITS.eventBytesMax} bytes`));
    const room = API_LIMITS.eventBytesMax - Buffer.byteLength(withPayload('{"a":""}'));
    assert.equal(rejectionOf(withPayload(`{"a":"${'x'.repeat(room)}"}`)), undefined);
    assert.equal(rejectionOf(withPayload(`{"a":"${'x'.repeat(room + 1)}"}`)), 'event_too_large');
  });

  it('no member is given twice', () => {
    assert.match(description, /no member is given twice/);
    assert.equal(rejectionOf(withMember('"source":"shop"')), 'member_repeated');
    assert.equal(rejectionOf(withMember('"s\\u006furce":"shop"')), 'member_repeated');
  });

  it('a sequence is written in digits alone', () => {
    for (const spelling of ['1.0', '1e2', '-0', '0.0']) {
      assert.equal(rejectionOf(withMember(`"sequence":${spelling}`)), 'sequence_invalid', spelling);
    }
  });
});
