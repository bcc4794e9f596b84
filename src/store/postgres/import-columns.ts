import type { Instant } from '../../instant.ts';
import { EPOCH_US, fixedArray, INT4, INT8, TIMESTAMPTZ, textArray, UUID } from './binary-arrays.ts';

/** Columns of rows to be inserted through `unnest`, each as one binary parameter. An element that is undefined is NULL. */

export function int8Column(values: readonly (number | undefined)[]): Buffer {
  return fixedArray(INT8, values.length, 8, (into, at, i) => {
    const value = values[i];
    if (value === undefined) return false;
    into.writeInt32BE(Math.floor(value / 2 ** 32), at);
    return into.writeUInt32BE(value >>> 0, at + 4);
  });
}

export function int4Column(values: readonly number[]): Buffer {
  return fixedArray(INT4, values.length, 4, (into, at, i) => into.writeInt32BE(values[i]!, at));
}

export function timestamptzColumn(values: readonly (Instant | undefined)[]): Buffer {
  return fixedArray(TIMESTAMPTZ, values.length, 8, (into, at, i) => {
    const value = values[i];
    return value === undefined ? false : into.writeBigInt64BE(BigInt(value) - EPOCH_US, at);
  });
}

/** Texts, or their bytes. */
export function textColumn(values: readonly (string | Uint8Array | undefined)[]): Buffer {
  const sizes = values.map((value) =>
    typeof value === 'string' ? Buffer.byteLength(value) : (value?.length ?? -1),
  );
  const bytes = sizes.reduce((sum, size) => sum + Math.max(0, size), 0);
  return textArray(values.length, bytes, (into, at, i) => {
    const value = values[i];
    if (typeof value === 'string') into.write(value, at);
    else if (value !== undefined) into.set(value, at);
    return sizes[i]!;
  });
}

/** Words of 32 bits that lie one after the other, `words` of them an element: the four of a UUID, the two of a bigint. */
export function wordColumn(type: typeof UUID | typeof INT8, values: readonly number[], words: 2 | 4): Buffer {
  return fixedArray(type, values.length / words, words * 4, (into, at, i) => {
    for (let n = 0; n < words; n++) into.writeInt32BE(values[i * words + n]!, at + n * 4);
  });
}

export { INT8, UUID };
