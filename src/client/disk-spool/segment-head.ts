import { crc32 } from 'node:zlib';

/**
 * A segment begins with its *head*: where the one before it ended. Numbers are big-endian.
 *
 *     head    magic u32, bytes of the segment before it u64, CRC-32 of these 12 bytes u32
 *
 * So the end of a segment is known as soon as there is a next one, whatever became of its file: what is missing up to there has been lost,
 * and what is behind it was never taken, as after a sync that failed. A process that ends as it should leaves a segment that is a head
 * and nothing else, and after a crash only the end of the last segment is open.
 */
const MAGIC = 0xff534b02;

export const HEAD_BYTES = 16;

/** @param endBefore bytes of the segment before it; any number when there is none */
export function printHead(endBefore: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeBigUInt64BE(BigInt(endBefore), 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 12)), 12);
  return bytes;
}

/** @returns where the segment before it ended; undefined when the head is not sound */
export function readHead(bytes: Buffer): number | undefined {
  if (bytes.length < HEAD_BYTES || bytes.readUInt32BE(0) !== MAGIC) return undefined;
  if (crc32(bytes.subarray(0, 12)) !== bytes.readUInt32BE(12)) return undefined;
  return Number(bytes.readBigUInt64BE(4));
}
