import { crc32 } from 'node:zlib';
import type { Instant } from '../../../instant.ts';
import { Block, type BlockColumns, ENTRY_WORDS, HEADER_WORDS, POSITIONS, SEQUENCES } from '../block.ts';

/** Why the directory and the records of a block do not belong together, or undefined. It needs no checksum to be right. */
export function structureFault({ directory, records }: BlockColumns): string | undefined {
  if (directory.byteLength < HEADER_WORDS * 4) return 'its directory is cut short';
  const words = new DataView(directory.buffer, directory.byteOffset, directory.byteLength);
  const flags = words.getInt32(4, true);
  const count = words.getInt32(8, true);
  if ((flags & ~(SEQUENCES | POSITIONS)) !== 0) return `its flags are ${flags}`;
  if (count < 1) return `it has ${count} events`;
  const wordsOfEvent = ENTRY_WORDS + (flags & SEQUENCES ? 2 : 0) + (flags & POSITIONS ? 1 : 0);
  if (directory.byteLength !== (HEADER_WORDS + count * wordsOfEvent) * 4) {
    return `its directory of ${directory.byteLength} bytes is none of ${count} events`;
  }
  let bytes = 0;
  for (let n = 0; n < count; n++) {
    const at = (HEADER_WORDS + n * ENTRY_WORDS) * 4;
    const record = words.getInt32(at + 4, true);
    const names = words.getUint16(at + 8, true) + words.getUint16(at + 10, true);
    if (record < names) return `event ${n + 1} of it has a record of ${record} bytes, less than its names`;
    bytes += record;
  }
  return bytes === records.byteLength
    ? undefined
    : `its records have ${records.byteLength} bytes instead of ${bytes}`;
}

/** A block whose checksum is wrong but whose structure can be read, to find out which of its events are hit. */
export function readDamaged(
  firstPosition: number,
  processedAt: Instant,
  { directory, records }: BlockColumns,
): Block | undefined {
  if (structureFault({ directory, records }) !== undefined) return undefined;
  const resealed = Uint8Array.from(directory);
  const view = new DataView(resealed.buffer);
  view.setUint32(0, crc32(records, crc32(resealed.subarray(4))), true);
  try {
    return new Block(firstPosition, processedAt, { directory: resealed, records });
  } catch {
    return undefined;
  }
}
