import { BACKSLASH, QUOTE, SPACE } from './ascii.ts';

/** What the bytes of a JSON string are, four at a time or one by one. */

/** The bytes of a word that end a string or are not plain in it: `"`, `\\` and control characters. Their 0x80 bits. */
export function specialBytes(word: number): number {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  // A byte is zero, or below 0x20, if subtracting borrows into its top bit (Bit Twiddling Hacks, "hasless"). Above such a
  // byte the borrow may show others that are not: only the lowest one counts.
  return (
    (((quote - 0x01010101) & ~quote) |
      ((backslash - 0x01010101) & ~backslash) |
      ((word - 0x20202020) & ~word)) &
    NOT_ASCII
  );
}

/** The top bits of a word: one that is set there has a byte that is not ASCII. */
export const NOT_ASCII = 0x80808080;

/** Whether a byte stands for itself in a string: no quote, no backslash, no control character. */
export function isOrdinary(byte: number): boolean {
  return byte !== QUOTE && byte !== BACKSLASH && byte >= SPACE;
}
