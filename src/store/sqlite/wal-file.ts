/**
 * The write-ahead log as a file (SQLite's file format, section 4): a header of 32 bytes, and frames of 24 bytes and a page. Each
 * frame's checksum goes on from the one before, so SQLite takes the log to end at the first frame that does not fit. That is
 * how it finds the end after a crash; it also is how a damaged byte takes all commits after it away, without a word.
 */
import { readSync } from 'node:fs';
import { endianness } from 'node:os';

export const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;
const READ_BYTES = 8 * 1024 * 1024;

/** Two 32-bit sums, as signed numbers. */
export type WalSums = readonly [number, number];

export interface WalHeader {
  readonly pageBytes: number;
  /** Random; the same in each frame that was written since the log began anew. */
  readonly salts: Buffer;
  readonly sums: WalSums;
  readonly bigEndian: boolean;
}

/** What the frames of a log come to. */
export interface WalContent {
  /** Frames up to and with the last commit that SQLite reads. */
  readonly framesRead: number;
  readonly commitsRead: number;
  /** The first frame that does not fit; `isCommit` says what it claims to be. */
  readonly broken: { readonly frame: number; readonly isCommit: boolean } | undefined;
  /** Commits after it, whose frames are of this log and fit one another. */
  readonly commitsBehind: number;
}

export function readWalHeader(bytes: Buffer): WalHeader | undefined {
  if (bytes.length < WAL_HEADER_BYTES) return undefined;
  const magic = bytes.readUInt32BE(0);
  if ((magic & ~1) >>> 0 !== MAGIC) return undefined;
  const bigEndian = (magic & 1) === 1;
  const sums = sumsOf(bytes.subarray(0, 24), [0, 0], bigEndian);
  if (sums[0] !== bytes.readInt32BE(24) || sums[1] !== bytes.readInt32BE(28)) return undefined;
  return { pageBytes: bytes.readUInt32BE(8), salts: Buffer.from(bytes.subarray(16, 24)), sums, bigEndian };
}

export function frameOffset(frame: number, { pageBytes }: WalHeader): number {
  return WAL_HEADER_BYTES + (frame - 1) * (FRAME_HEADER_BYTES + pageBytes);
}

export function readWalFrames(fd: number, header: WalHeader): WalContent {
  const { salts, bigEndian } = header;
  let [framesRead, commitsRead, commitsBehind] = [0, 0, 0];
  let broken: WalContent['broken'];
  let before = header.sums;
  let number = 0;
  for (const frame of framesOf(fd, header)) {
    number++;
    const isCommit = frame.readUInt32BE(4) !== 0;
    const stored: WalSums = [frame.readInt32BE(16), frame.readInt32BE(20)];
    const sums = sumsOf(
      frame.subarray(FRAME_HEADER_BYTES),
      sumsOf(frame.subarray(0, 8), before, bigEndian),
      bigEndian,
    );
    const isOfLog = frame.compare(salts, 0, 8, 8, 16) === 0;
    const fits = isOfLog && frame.readUInt32BE(0) !== 0 && sums[0] === stored[0] && sums[1] === stored[1];
    before = stored;
    if (!fits) broken ??= { frame: number, isCommit: isOfLog && isCommit };
    else if (isCommit && broken !== undefined) commitsBehind++;
    else if (isCommit) {
      commitsRead++;
      framesRead = number;
    }
  }
  return { framesRead, commitsRead, broken, commitsBehind };
}

/** The whole frames of the file, one at a time; each is valid until the next. */
function* framesOf(fd: number, { pageBytes }: WalHeader): Generator<Buffer> {
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const buffer = Buffer.alloc(Math.max(1, Math.floor(READ_BYTES / frameBytes)) * frameBytes);
  for (let offset = WAL_HEADER_BYTES; ; offset += buffer.length) {
    let got = 0;
    for (let more = -1; more !== 0 && got < buffer.length; got += more) {
      more = readSync(fd, buffer, got, buffer.length - got, offset + got);
    }
    for (let at = 0; at + frameBytes <= got; at += frameBytes) yield buffer.subarray(at, at + frameBytes);
    if (got < buffer.length) return;
  }
}

const NATIVE_BIG_ENDIAN = endianness() === 'BE';

/** Goes on with the sums over further bytes, of which there are a multiple of 8 (section 4.2). */
export function sumsOf(bytes: Buffer, [first, second]: WalSums, bigEndian = NATIVE_BIG_ENDIAN): WalSums {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let s0 = first;
  let s1 = second;
  for (let at = 0; at < bytes.length; at += 8) {
    s0 = (s0 + words.getInt32(at, !bigEndian) + s1) | 0;
    s1 = (s1 + words.getInt32(at + 4, !bigEndian) + s0) | 0;
  }
  return [s0, s1];
}
