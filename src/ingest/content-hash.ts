/** The pieces of the content fingerprint; json-scanner.ts says what it is and puts them together, in its one pass. */

export const PRIME_HIGH = 0x01000193; // FNV-1a, 32 bits
export const PRIME_LOW = 0x85ebca6b; // a second odd multiplier (MurmurHash3's first finalizer constant)

// Told apart from one another before their bytes are: "1" is not 1, [] is not {}.
export const TAG_STRING = 1;
export const TAG_NUMBER = 2;
export const TAG_LITERAL = 3;
export const TAG_ARRAY = 4;
export const TAG_OBJECT = 5;

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
