/**
 * Arrays as parameters in PostgreSQL's binary format: what the pack holds goes over as it lies there, with no string made of
 * it and no escaping. `pg` sends a Buffer as a binary parameter; the cast in the statement says of which type.
 *
 * The format (array_send in src/backend/utils/adt/arrayfuncs.c): dimensions, whether there are NULLs, the element type, then for each
 * dimension its length and lower bound, then the elements, each with its length in front, -1 for a NULL.
 */
export const INT8 = 20;
export const INT4 = 23;
const TEXT = 25;
export const TIMESTAMPTZ = 1184;
export const UUID = 2950;

/** Bytes before the first element of an array of one dimension. */
const HEADER_BYTES = 20;

function header(buffer: Buffer, type: number, length: number): void {
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(1, 4); // there may be NULLs
  buffer.writeInt32BE(type, 8);
  buffer.writeInt32BE(length, 12);
  buffer.writeInt32BE(1, 16);
}

/**
 * An array of elements of one size.
 *
 * @param write puts element i at this offset, or returns false for a NULL
 */
export function fixedArray(
  type: number,
  length: number,
  size: number,
  write: (buffer: Buffer, at: number, i: number) => unknown,
): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + length * (4 + size));
  header(buffer, type, length);
  let at = HEADER_BYTES;
  for (let i = 0; i < length; i++) {
    if (write(buffer, at + 4, i) === false) {
      buffer.writeInt32BE(-1, at);
      at += 4;
    } else {
      buffer.writeInt32BE(size, at);
      at += 4 + size;
    }
  }
  return buffer.subarray(0, at);
}

/**
 * An array of texts.
 *
 * @param textBytes bytes of all of them together
 * @param write puts text i at this offset and returns how long it is, or -1 for a NULL
 */
export function textArray(
  length: number,
  textBytes: number,
  write: (buffer: Buffer, at: number, i: number) => number,
): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + length * 4 + textBytes);
  header(buffer, TEXT, length);
  let at = HEADER_BYTES;
  for (let i = 0; i < length; i++) {
    const bytes = write(buffer, at + 4, i);
    buffer.writeInt32BE(bytes, at);
    at += 4 + Math.max(0, bytes);
  }
  return buffer.subarray(0, at);
}

/** Microseconds from 1970-01-01, which we count from, to 2000-01-01, which PostgreSQL does. */
export const EPOCH_US = 946_684_800_000_000n;
