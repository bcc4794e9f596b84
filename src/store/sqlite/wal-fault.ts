import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { databasePath } from './connection.ts';
import {
  frameOffset,
  readWalFrames,
  readWalHeader,
  sumsOf,
  WAL_HEADER_BYTES,
  type WalHeader,
} from './wal-file.ts';

/** Where a write-ahead log has lost commits that were acknowledged. */
export interface WalFault {
  readonly offset: number;
  readonly what: string;
}

/** What the memory that the connections shared says of the log: it outlives a process that is killed. */
interface SharedState {
  readonly frames: number;
  /** Of these, already in the database. */
  readonly folded: number;
  readonly salts: Buffer;
}

/**
 * Whether commits are lost that SQLite will not miss. To be asked before the database is opened, which makes the shared memory
 * anew, and while nobody writes.
 *
 * A frame that does not fit ends the log. After a crash that is as it should be: nothing behind it was acknowledged, for a
 * commit is that only once all of the log before it is on the disk. So it is damage
 *
 * - when whole commits follow, which were begun after the damaged part had been synced;
 * - when the shared memory knows of more frames: SQLite counts them there after the sync.
 *
 * A power failure takes the shared memory, and may leave the last commit in parts: that one cannot be told from a commit
 * that was damaged later. Nor can a log that was cut off.
 */
export function findWalFault(dataDir: string): WalFault | undefined {
  const path = `${databasePath(dataDir)}-wal`;
  const shared = readShared(`${databasePath(dataDir)}-shm`);
  if (!existsSync(path)) return lostAltogether(shared);
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.alloc(WAL_HEADER_BYTES);
    readSync(fd, bytes, 0, WAL_HEADER_BYTES, 0);
    const header = size < WAL_HEADER_BYTES ? undefined : readWalHeader(bytes);
    if (header !== undefined) return faultOf(fd, header, shared);
    return size > WAL_HEADER_BYTES && !isFolded(shared)
      ? { offset: 0, what: 'the header is damaged, so that no commit of it is read' }
      : lostAltogether(shared);
  } finally {
    closeSync(fd);
  }
}

function faultOf(fd: number, header: WalHeader, shared: SharedState | undefined): WalFault | undefined {
  const { framesRead, broken, commitsBehind } = readWalFrames(fd, header);
  const offset = frameOffset(broken?.frame ?? framesRead + 1, header);
  if (broken !== undefined && commitsBehind >= (broken.isCommit ? 1 : 2)) {
    return {
      offset,
      what: `frame ${broken.frame} is damaged, so that ${commitsBehind} commits behind it are not read`,
    };
  }
  const known = shared?.salts.equals(header.salts) ? shared.frames : 0;
  if (known <= framesRead || (framesRead === 0 && isFolded(shared))) return undefined;
  return { offset, what: `${known} frames were committed, and only ${framesRead} can be read` };
}

function lostAltogether(shared: SharedState | undefined): WalFault | undefined {
  if (shared === undefined || isFolded(shared)) return undefined;
  return { offset: 0, what: `${shared.frames} frames were committed, and the file is empty or missing` };
}

function isFolded(shared: SharedState | undefined): boolean {
  return shared !== undefined && shared.folded >= shared.frames;
}

// The header of the shared memory ("WAL-mode file format", section 2.1), in the byte order of the machine.
const HEADER_BYTES = 48;
const CHECKED_BYTES = 40;
const FRAMES = 16;
const SALTS = 32;
const FOLDED = 96;

function readShared(path: string): SharedState | undefined {
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  if (
    bytes.length < FOLDED + 4 ||
    bytes.compare(bytes, 0, HEADER_BYTES, HEADER_BYTES, 2 * HEADER_BYTES) !== 0
  )
    return undefined;
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [first, second] = sumsOf(bytes.subarray(0, CHECKED_BYTES), [0, 0]);
  const native = (at: number) =>
    new Uint32Array(bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + 4))[0]!;
  if (
    native(CHECKED_BYTES) !== first >>> 0 ||
    native(CHECKED_BYTES + 4) !== second >>> 0 ||
    words.getUint8(12) === 0
  ) {
    return undefined;
  }
  return {
    frames: native(FRAMES),
    folded: native(FOLDED),
    salts: Buffer.from(bytes.subarray(SALTS, SALTS + 8)),
  };
}
