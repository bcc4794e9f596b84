/** The pieces of the content fingerprint; json-scanner.ts says what it is and puts them together, in its one pass. */

export const PRIME_HIGH = 0x01000193; // FNV-1a, 32 bits
export const PRIME_LOW = 0x85ebca6b; // a second odd multiplier (MurmurHash3's first finalizer constant)

// Told apart from one another before their bytes are: "1" is not 1, [] is not {}.
export const TAG_STRING = 1;
export const TAG_NUMBER = 2;
export const TAG_LITERAL = 3;
export const TAG_ARRAY = 4;
export const TAG_OBJECT = 5;

/** What {@link hashSpan} has found. Not returned, which would cost an object a string. */
export let hashedHigh = 0;
export let hashedLow = 0;

/**
 * Hashes bytes, four at a time, in two lanes: the body of MurmurHash3 (x86, 32 bits), with constants of its own for the
 * second lane; then the length, and the finalizer. The bytes after the last whole word count as a word filled with zeros.
 */
export function hashSpan(
  view: DataView,
  start: number,
  end: number,
  seedHigh: number,
  seedLow: number,
): void {
  let high = seedHigh;
  let low = seedLow;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = view.getInt32(at, true);
    const one = Math.imul(word, 0xcc9e2d51);
    const two = Math.imul(word, 0x9e3779b1);
    high ^= Math.imul((one << 15) | (one >>> 17), 0x1b873593);
    low ^= Math.imul((two << 17) | (two >>> 15), 0x85ebca77);
    high = (Math.imul((high << 13) | (high >>> 19), 5) + 0xe6546b64) | 0;
    low = (Math.imul((low << 11) | (low >>> 21), 9) + 0x38b34ae5) | 0;
  }
  if (at < end) {
    let word = 0;
    for (let shift = 0; at < end; at++, shift += 8) word |= view.getUint8(at) << shift;
    const one = Math.imul(word, 0xcc9e2d51);
    const two = Math.imul(word, 0x9e3779b1);
    high ^= Math.imul((one << 15) | (one >>> 17), 0x1b873593);
    low ^= Math.imul((two << 17) | (two >>> 15), 0x85ebca77);
  }
  hashedHigh = mix(high ^ (end - start));
  hashedLow = mix(low ^ Math.imul(end - start, PRIME_HIGH));
}

/** Finalizer of MurmurHash3 (fmix32): every input bit reaches every output bit. */
export function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** UTF-8, but for lone surrogates, which have none: each becomes three bytes of its own, so that two of them differ. */
export function wtf8(text: string): Buffer {
  return Buffer.concat(
    [...text].map((character) => {
      const code = character.codePointAt(0) ?? 0;
      if (code < 0xd800 || code > 0xdfff) return Buffer.from(character, 'utf8');
      return Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]);
    }),
  );
}
