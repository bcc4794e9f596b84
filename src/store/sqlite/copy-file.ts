import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';

const CHUNK_BYTES = 1024 * 1024;

/** What identifies the content of a file. */
export interface FileSums {
  readonly bytes: number;
  readonly sha256: string;
}

/** Copies all of an open file to a new one, and syncs that. */
export function copyFile(from: number, path: string, onBytes: (bytes: number) => void): FileSums {
  const to = openSync(path, 'wx');
  try {
    const sums = readThrough(from, (chunk) => {
      for (let at = 0; at < chunk.length; ) at += writeSync(to, chunk, at, chunk.length - at);
      onBytes(chunk.length);
    });
    fsyncSync(to);
    return sums;
  } finally {
    closeSync(to);
  }
}

/** Reads a file that somebody else wrote, and syncs it. */
export function syncAndSum(path: string, onBytes: (bytes: number) => void): FileSums {
  const fd = openSync(path, 'r+');
  try {
    fsyncSync(fd);
    return readThrough(fd, (chunk) => onBytes(chunk.length));
  } finally {
    closeSync(fd);
  }
}

function readThrough(fd: number, take: (chunk: Buffer) => void): FileSums {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let bytes = 0;
  for (;;) {
    const got = readSync(fd, buffer, 0, CHUNK_BYTES, bytes);
    if (got === 0) return { bytes, sha256: hash.digest('hex') };
    const chunk = buffer.subarray(0, got);
    hash.update(chunk);
    bytes += got;
    take(chunk);
  }
}
