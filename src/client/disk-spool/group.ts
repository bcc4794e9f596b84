import { crc32 } from 'node:zlib';
import { HEAD_BYTES, readHead } from './segment-head.ts';

/**
 * Behind its head a segment is a row of *groups*, each of them written and synced at once; a group is a row of *records*, one an event.
 * Numbers are big-endian.
 *
 *     group   magic u32, length of its records u32, their count u32, CRC-32 of these 12 bytes u32, records
 *     record  length of its text u32, CRC-32 of the text u32, text
 *
 * A group is written only when the one before it is on the disk. So what a crash leaves unfinished is the last group of the last segment
 * and no other, and any other group that is not sound has been damaged.
 */
const MAGIC = 0xff534b01;
const MAGIC_BYTES = Buffer.from([0xff, 0x53, 0x4b, 0x01]); // FF is in no UTF-8 text.
const RECORD_HEADER_BYTES = 8;

export const GROUP_HEADER_BYTES = 16;

/** An event as it is found in a segment; its group and its place there, and those of what follows it. */
export interface SpooledEvent {
  readonly text: string;
  readonly bytes: number;
  readonly place: Place;
  readonly next: Place;
}

export interface Place {
  /** Where the group begins, in bytes. */
  readonly offset: number;
  /** Records of the group before it. */
  readonly index: number;
}

export interface Found {
  readonly events: SpooledEvent[];
  /** Where something is wrong. */
  readonly damages: number[];
  /** Behind the last group that was read. */
  end: number;
}

interface Group {
  readonly start: number;
  readonly count: number;
  readonly end: number;
}

/** What a text takes in a group. */
export function recordBytes(text: Uint8Array): number {
  return RECORD_HEADER_BYTES + text.length;
}

export function printGroup(texts: readonly Uint8Array[]): Buffer {
  const length = texts.reduce((sum, text) => sum + recordBytes(text), 0);
  const bytes = Buffer.allocUnsafe(GROUP_HEADER_BYTES + length);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeUInt32BE(length, 4);
  bytes.writeUInt32BE(texts.length, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 12)), 12);
  let at = GROUP_HEADER_BYTES;
  for (const text of texts) {
    bytes.writeUInt32BE(text.length, at);
    bytes.writeUInt32BE(crc32(text), at + 4);
    bytes.set(text, at + RECORD_HEADER_BYTES);
    at += recordBytes(text);
  }
  return bytes;
}

/**
 * Reads groups, from the head on when that is there, and goes on behind what is damaged.
 *
 * @param offset where in the segment these bytes are
 * @param isWhole whether the segment ends where they do; else a group that goes beyond them is left for later
 */
export function readGroups(bytes: Buffer, offset: number, isWhole: boolean): Found {
  const found: Found = { events: [], damages: [], end: offset };
  if (offset === 0) {
    if (readHead(bytes) === undefined) found.damages.push(0);
    found.end = Math.min(HEAD_BYTES, bytes.length);
  }
  for (let at = found.end - offset; at < bytes.length; at = found.end - offset) {
    const group = groupAt(bytes, at);
    if (group === undefined) {
      const next = findGroup(bytes, at + 1);
      if (next === undefined && !isWhole) break;
      found.damages.push(offset + at);
      found.end = offset + (next ?? bytes.length);
    } else {
      if (group.end > bytes.length && !isWhole) break;
      readRecords(bytes, offset, group, found);
      found.end = offset + Math.min(group.end, bytes.length);
    }
  }
  return found;
}

/** Where the last sound group ends, or the head: what is behind it a crash has left unfinished. 0 when nothing is sound. */
export function soundEnd(bytes: Buffer): number {
  let end = readHead(bytes) === undefined ? 0 : HEAD_BYTES;
  for (let at: number | undefined = HEAD_BYTES; at !== undefined && at < bytes.length; ) {
    const group = groupAt(bytes, at);
    if (group !== undefined && isSound(bytes, group)) {
      end = group.end;
      at = end;
    } else {
      at = findGroup(bytes, at + 1);
    }
  }
  return end;
}

function isSound(bytes: Buffer, group: Group): boolean {
  const found: Found = { events: [], damages: [], end: 0 };
  readRecords(bytes, 0, group, found);
  return group.end <= bytes.length && found.damages.length === 0;
}

function readRecords(bytes: Buffer, offset: number, group: Group, { events, damages }: Found): void {
  let at = group.start + GROUP_HEADER_BYTES;
  for (let index = 0; index < group.count; index++) {
    const start = at + RECORD_HEADER_BYTES;
    const length = start <= bytes.length ? bytes.readUInt32BE(at) : 0;
    const end = start + length;
    // No event is empty. Where a length is wrong, the rest of the group cannot be told apart.
    if (length === 0 || end > group.end || end > bytes.length) return void damages.push(offset + at);
    const text = bytes.subarray(start, end);
    if (crc32(text) === bytes.readUInt32BE(at + 4)) {
      const isLast = index + 1 === group.count;
      events.push({
        text: text.toString(),
        bytes: length,
        place: { offset: offset + group.start, index },
        next: isLast
          ? { offset: offset + group.end, index: 0 }
          : { offset: offset + group.start, index: index + 1 },
      });
    } else {
      damages.push(offset + at);
    }
    at = end;
  }
}

function groupAt(bytes: Buffer, start: number): Group | undefined {
  if (start + GROUP_HEADER_BYTES > bytes.length || bytes.readUInt32BE(start) !== MAGIC) return undefined;
  if (crc32(bytes.subarray(start, start + 12)) !== bytes.readUInt32BE(start + 12)) return undefined;
  const end = start + GROUP_HEADER_BYTES + bytes.readUInt32BE(start + 4);
  return { start, count: bytes.readUInt32BE(start + 8), end };
}

function findGroup(bytes: Buffer, from: number): number | undefined {
  for (let at = bytes.indexOf(MAGIC_BYTES, from); at >= 0; at = bytes.indexOf(MAGIC_BYTES, at + 1)) {
    if (groupAt(bytes, at) !== undefined) return at;
  }
  return undefined;
}
