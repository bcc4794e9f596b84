/**
 * The file of a generation, in 32-bit words as the processor has them (little-endian on all that Node runs on but one; there
 * the magic number does not fit, and the file counts as damaged and is rebuilt):
 *
 *     header      one page
 *     pages       127 entries each, in the order of their keys; the last one may have fewer
 *     directory   the first key of each page
 *     filter      see key-filter.ts
 *
 * Nothing in it is without a checksum: the header has its own, and those of directory and filter; a page has its own. Header
 * and pages name the file they belong to, so that a page of another file in its place is found out too. Header, directory
 * and filter are checked when the file is opened, a page whenever it is read.
 */
import { crc32 } from 'node:zlib';
import { KEY_WORDS } from './entry.ts';
import type { ClassPositions } from './forget.ts';
import type { Generation } from './generation.ts';
import { BLOCK_WORDS } from './key-filter.ts';

export const PAGE_BYTES = 4096;
export const PAGE_WORDS = PAGE_BYTES / 4;
export const PAGE_ENTRIES = 127;
export const OWNER_BYTES = 16;

/** Words of a directory entry: a whole key, so that a look-up is one read even where pages begin with like words. */
export const DIRECTORY_WORDS = KEY_WORDS;

/** The last word of the header and of each page is the checksum of those before it. */
export const CHECKED_BYTES = PAGE_BYTES - 4;
export const CHECKSUM = PAGE_WORDS - 1;

export interface Header {
  readonly owner: Uint8Array;
  readonly id: Int32Array;
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly keys: number;
  readonly pages: number;
  readonly filterBlocks: number;
  readonly filterChecksum: number;
  readonly directoryChecksum: number;
  readonly newestOfClass: ClassPositions | undefined;
}

export function directoryAt({ pages }: Header): number {
  return PAGE_BYTES * (1 + pages);
}

export function filterAt(header: Header): number {
  return directoryAt(header) + header.pages * DIRECTORY_WORDS * 4;
}

/** Size of the whole file. */
export function fileBytes(header: Header): number {
  return filterAt(header) + header.filterBlocks * BLOCK_WORDS * 4;
}

export function bytesOf(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** The checksum as a word of a file. */
export function checksum(bytes: Uint8Array): number {
  return crc32(bytes) | 0;
}

export function generationOf(name: string, header: Header): Generation {
  const { firstPosition, lastPosition, keys } = header;
  return { name, firstPosition, lastPosition, keys, bytes: fileBytes(header) };
}
