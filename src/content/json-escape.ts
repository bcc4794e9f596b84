import { isHexDigit } from './ascii.ts';

/**
 * Bytes of the escape sequence of a JSON string whose backslash is at this offset (RFC 8259 section 7). Where it is not one:
 * minus the bytes of it that are right, so -1 is the backslash alone, and less is `\u` with too few digits.
 */
export function escapeLength(bytes: Buffer, at: number, end: number): number {
  const byte = at + 1 < end ? bytes[at + 1]! : 0;
  if (byte !== LETTER_U) return ESCAPES.has(byte) ? 2 : -1;
  for (let i = at + 2; i < at + 6; i++) {
    if (i >= end || !isHexDigit(bytes[i]!)) return at - i;
  }
  return 6;
}

const LETTER_U = 0x75;
const ESCAPES = new Set(Buffer.from('"\\/bfnrt'));
