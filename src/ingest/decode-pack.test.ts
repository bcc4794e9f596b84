import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { changed, decodeInto, good, LIMITS, ROOMY, SECRETS } from '../../test/support/decode-body.ts';
import { makeEvent } from '../../test/support/make-events.ts';
import { spell } from '../../test/support/spell-json.ts';
import { unpackEvents } from '../../test/support/unpack-events.ts';
import { fingerprintOf } from '../content/fingerprint.ts';
import { SekaliError } from '../errors.ts';
import { type Key, KeyHasher } from '../store/dedup/key.ts';
import { EventPack } from '../store/event-pack.ts';
import { BatchDecoder } from './decode.ts';

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
