import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { KeyHasher, SECRET_BYTES } from './key.ts';

/**
 * `vectors_hsip64` of the reference implementation (github.com/veorq/SipHash, vectors.h): the hashes of the messages of 0 to
 * 63 bytes 00 01 02 …, under the key 00 01 … 07.
 */
const VECTORS = `
  218d1f59b9b83cc8 be552412f8387315 064f39ef7c50eb57 ce0f1a45f7060679 d5e78a175be52ea1
  cb9d7c3f2f3db580 ce3e91358aa2bc25 ff202728b07bc684 edfee820bce4858c 5b51cccc13888307
  95b0469f06a6f2ee ae26333994ddcd48 7bc71f9faef5c799 5a2352d75a0c3744 3bb1a870eae8e658
  217d0bcb4e81c902 7336aad25f7bf3b5 37adc0641c4c4f6a c9b2db2b9a3e42f9 f910e48020ab363c
  1bf52b0a6feea7db 00741dc269e8b3ef e20103fa1ba776ef 4c2210e54b681d73 70741045ae3fa6f1
  0c86403739714038 0d899ed8112923f0 226bf5fab81ee1b8 2d925ffb1e0016b5 361958d52cee10f1
  291aaf864898179d 863c7f155c34117c 28709d46d811626c 248477681d28f89c 8324e4d7528f9830
  f9efd4e13aea6bd8 86d67a40ec4276dc 3f6292eccca97e35 cbd92ee724d42109 368df6808d403d79
  5b38c81c67c8ae4c 95ab7189d439acb3 a91a52c025327024 5b0087c69528acea 1e30f3ad27dcb15a
  697f5c9a90324ed4 495c0f995557dc38 9427202a3c29f94d a9eaa8c04ba93e3e eea4c1737d011218
  912d568fd8f65a49 56919596b0ff5c97 02445a7998f550e1 86ec466ce71d1fb2 359569e7d289e3bc
  871b05ca62bb7c96 a1a492f942f15f1d 12ec267ff6095b6e 5d1b5ea1b231d89d d8cfb4453f92ee54
  d6762890bf26e460 313563a4b7ed5cf3 f90b3ab572d46693 2ea63c71bf326087
`
  .trim()
  .split(/\s+/);

/** A round: to one word another is added, which is rotated and combined with the sum; then the sum may be rotated. */
const ROUND = [
  { sum: 0, other: 1, rotate: 5, rotateSum: 16 },
  { sum: 2, other: 3, rotate: 8, rotateSum: 0 },
  { sum: 0, other: 3, rotate: 7, rotateSum: 0 },
  { sum: 2, other: 1, rotate: 13, rotateSum: 16 },
];

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** HalfSipHash-2-4 with 64 bits of output, byte by byte as the reference has it: slow, and plain. */
function halfSipHash64(key: Uint8Array, message: Uint8Array): Buffer {
  const keyBytes = Buffer.from(key);
  const [key0, key1] = [keyBytes.readUInt32LE(0), keyBytes.readUInt32LE(4)];
  const words = Uint32Array.of(key0, key1 ^ 0xee, 0x6c796765 ^ key0, 0x74656462 ^ key1);
  const word = (at: number) => words[at] ?? 0;
  const rounds = (count: number) => {
    for (const { sum, other, rotate, rotateSum } of Array.from({ length: count }, () => ROUND).flat()) {
      words[sum] = word(sum) + word(other);
      words[other] = rotated(word(other), rotate) ^ word(sum);
      if (rotateSum > 0) words[sum] = rotated(word(sum), rotateSum);
    }
  };

  // The last word has what is left over, zeros, and in its top byte the length modulo 256.
  const padded = Buffer.alloc((message.length & ~3) + 4);
  padded.set(message);
  padded[padded.length - 1] = message.length & 0xff;
  for (let at = 0; at < padded.length; at += 4) {
    words[3] = word(3) ^ padded.readUInt32LE(at);
    rounds(2);
    words[0] = word(0) ^ padded.readUInt32LE(at);
  }

  const hash = Buffer.alloc(8);
  words[2] = word(2) ^ 0xee;
  rounds(4);
  hash.writeUInt32LE((word(1) ^ word(3)) >>> 0, 0);
  words[1] = word(1) ^ 0xdd;
  rounds(4);
  hash.writeUInt32LE((word(1) ^ word(3)) >>> 0, 4);
  return hash;
}

/** What the key of an event is said to be: the hash under one half of the secret, then under the other. */
function keyOf(secret: Uint8Array, topic: string, eventId: string): Buffer {
  const topicBytes = Buffer.from(topic);
  const padding = Buffer.alloc((4 - (topicBytes.length % 4)) % 4);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(topicBytes.length);
  const message = Buffer.concat([length, topicBytes, padding, Buffer.from(eventId)]);
  return Buffer.concat([
    halfSipHash64(secret.subarray(0, 8), message),
    halfSipHash64(secret.subarray(8), message),
  ]);
}

function hashed(hasher: KeyHasher, topic: string, eventId: string): Buffer {
  const { a, b, c, d } = hasher.hash(topic, eventId);
  return Buffer.from(Int32Array.of(a, b, c, d).buffer);
}

const SECRET = Buffer.from(Array.from({ length: SECRET_BYTES }, (_, i) => 17 * i));

test('the reference of this test gives the official hashes', () => {
  const message = Buffer.from(VECTORS.map((_, i) => i));
  assert.equal(VECTORS.length, 64);
  VECTORS.forEach((expected, length) => {
    const hash = halfSipHash64(message.subarray(0, 8), message.subarray(0, length));
    assert.equal(hash.toString('hex'), expected);
  });
});

test('a key is HalfSipHash-2-4 of topic and event_id under the two halves of the secret', () => {
  const secret = fc.uint8Array({ minLength: SECRET_BYTES, maxLength: SECRET_BYTES });
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
  const anyUnits = fc
    .array(fc.nat({ max: 0xffff }), { minLength: 1, maxLength: 300 })
    .map((units) => String.fromCharCode(...units));
  const name = fc.oneof(text, anyUnits);
  fc.assert(
    fc.property(secret, name, name, (key, topic, eventId) => {
      assert.deepEqual(hashed(new KeyHasher(key), topic, eventId), keyOf(key, topic, eventId));
    }),
    { numRuns: 500 },
  );
});

test('a key is so at every length: where words end, and where the length runs over its byte', () => {
  const hasher = new KeyHasher(SECRET);
  for (let topicLength = 1; topicLength <= 130; topicLength++) {
    for (const idLength of [1, 2, 3, 128 - (topicLength % 128), 129 - (topicLength % 128), 510]) {
      const [topic, eventId] = ['t'.repeat(topicLength), 'e'.repeat(idLength)];
      assert.deepEqual(
        hashed(hasher, topic, eventId),
        keyOf(SECRET, topic, eventId),
        `${topicLength}, ${idLength}`,
      );
    }
  }
});

test('a key is of two values, never of one joined text', () => {
  const hasher = new KeyHasher(SECRET);
  const joined = 'a:b:c:d';
  const cuts = Array.from({ length: joined.length - 1 }, (_, i) => i + 1);
  const keys = cuts.map((cut) => hashed(hasher, joined.slice(0, cut), joined.slice(cut)).toString('hex'));
  assert.equal(new Set(keys).size, keys.length);
});

// Lone surrogates have no UTF-8, and are in no name that is accepted (event.ts, checkName).
test('names that differ in case, Unicode form or what is at their end have different keys', () => {
  const hasher = new KeyHasher(SECRET);
  const ids = [
    'order',
    'Order',
    '\u00e9',
    'e\u0301',
    '\ufffd',
    '\ufffc',
    'a',
    'a ',
    'a\u0000',
    'a\u0000\u0000',
  ];
  const keys = ids.map((id) => hashed(hasher, 'orders', id).toString('hex'));
  assert.equal(new Set(keys).size, ids.length);
});

test('the zeros that fill up a topic are not those of a topic or an event_id', () => {
  const hasher = new KeyHasher(SECRET);
  const pairs = [
    ['abc', 'd'],
    ['abc\u0000', 'd'],
    ['abc', '\u0000d'],
    ['ab', 'd'],
    ['ab\u0000', 'd'],
    ['ab', '\u0000d'],
    ['abcd', ''],
  ] as const;
  const keys = pairs.map(([topic, id]) => hashed(hasher, topic, id).toString('hex'));
  assert.equal(new Set(keys).size, pairs.length);
});

test('the key is the same from bytes within a buffer, behind a topic that was hashed before', () => {
  const hasher = new KeyHasher(SECRET);
  const name = fc.string({ unit: 'grapheme', maxLength: 40 });
  fc.assert(
    fc.property(
      name,
      fc.array(name, { minLength: 1, maxLength: 4 }),
      fc.nat({ max: 9 }),
      (topic, ids, before) => {
        const state = hasher.topicState(topic);
        for (const id of ids) {
          const bytes = Buffer.concat([Buffer.alloc(before, 7), Buffer.from(id), Buffer.from('behind')]);
          const { a, b, c, d } = hasher.hashId(state, bytes, before, before + Buffer.byteLength(id));
          assert.deepEqual(Buffer.from(Int32Array.of(a, b, c, d).buffer), keyOf(SECRET, topic, id));
        }
      },
    ),
  );
});

test('another secret gives another key, each half for its half', () => {
  const other = Buffer.from(SECRET);
  other[15] = (other[15] ?? 0) ^ 1;
  const one = hashed(new KeyHasher(SECRET), 'orders', 'order-1');
  const two = hashed(new KeyHasher(other), 'orders', 'order-1');
  assert.deepEqual(one.subarray(0, 8), two.subarray(0, 8));
  assert.notDeepEqual(one.subarray(8), two.subarray(8));
});

test('a key is written into the same object each time', () => {
  const hasher = new KeyHasher(SECRET);
  assert.equal(hasher.hash('orders', 'order-1'), hasher.hash('orders', 'order-2'));
});

test('a secret that is too short is refused', () => {
  assert.throws(() => new KeyHasher(SECRET.subarray(1)), RangeError);
});
