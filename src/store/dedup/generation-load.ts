import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import { damaged, readFailure } from './damage.ts';
import { type Generation, idOf, type LoadedGeneration } from './generation.ts';
import {
  bytesOf,
  checksum,
  DIRECTORY_WORDS,
  directoryAt,
  fileBytes,
  filterAt,
  generationOf,
  type Header,
  PAGE_ENTRIES,
  PAGE_WORDS,
} from './generation-format.ts';
import { decodeHeader } from './generation-header.ts';
import { BLOCK_WORDS } from './key-filter.ts';

/** A file whose header, directory and filter have been read and found good. */
export interface CheckedFile extends LoadedGeneration {
  readonly path: string;
  readonly fd: number;
  readonly header: Header;
}

/**
 * Reads and checks all of a generation's file but its pages.
 *
 * @throws SekaliError `store_damaged`: it is not the file that the manifest names
 */
export function loadGeneration(dir: string, generation: Generation, owner: Uint8Array): LoadedGeneration {
  const path = join(dir, generation.name);
  const file = openChecked(path, owner);
  closeSync(file.fd);
  const { firstPosition, lastPosition, keys, bytes } = file.generation;
  if (
    firstPosition !== generation.firstPosition ||
    lastPosition !== generation.lastPosition ||
    keys !== generation.keys ||
    bytes !== generation.bytes
  ) {
    throw damaged(path, 0, 'it is not what the manifest says');
  }
  const { directory, filter, newestOfClass } = file;
  return { generation, directory, filter, newestOfClass };
}

/** The same for a file that no manifest is at hand for. The caller closes it. */
export function openChecked(path: string, owner: Uint8Array): CheckedFile {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw damaged(path, 0, 'the file is missing');
    }
    throw readFailure(path, 0, error);
  }
  try {
    const header = readHeader(fd, path, owner);
    const directory = readWords(fd, path, directoryAt(header), header.pages * DIRECTORY_WORDS);
    const filter = readWords(fd, path, filterAt(header), header.filterBlocks * BLOCK_WORDS);
    checkSum(path, directoryAt(header), directory, header.directoryChecksum, 'directory');
    checkSum(path, filterAt(header), filter, header.filterChecksum, 'filter');
    const { newestOfClass } = header;
    const generation = generationOf(basename(path), header);
    return { path, fd, header, generation, directory, filter, newestOfClass };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function readHeader(fd: number, path: string, owner: Uint8Array): Header {
  const header = decodeHeader(readWords(fd, path, 0, PAGE_WORDS));
  if (typeof header === 'string') throw damaged(path, 0, header);
  const id = idOf(basename(path));
  if (id === undefined || header.id[0] !== id[0] || header.id[1] !== id[1]) {
    throw damaged(path, 0, 'it was written under another name');
  }
  if (Buffer.compare(header.owner, owner) !== 0) throw damaged(path, 0, 'it is of another data directory');
  if (header.pages !== Math.ceil(header.keys / PAGE_ENTRIES)) throw damaged(path, 0, 'its counts do not fit');
  const size = fstatSync(fd).size;
  if (size !== fileBytes(header)) {
    throw damaged(
      path,
      Math.min(size, fileBytes(header)),
      `it has ${size} bytes instead of ${fileBytes(header)}`,
    );
  }
  return header;
}

function checkSum(path: string, offset: number, words: Int32Array, expected: number, part: string): void {
  if (checksum(bytesOf(words)) !== expected) {
    throw damaged(path, offset, `the ${part} does not fit its checksum`);
  }
}

function readWords(fd: number, path: string, offset: number, count: number): Int32Array {
  const words = new Int32Array(count);
  const bytes = bytesOf(words);
  let got = 0;
  try {
    while (got < bytes.length) {
      const more = readSync(fd, bytes, got, bytes.length - got, offset + got);
      if (more === 0) break;
      got += more;
    }
  } catch (error) {
    throw readFailure(path, offset + got, error);
  }
  if (got < bytes.length) throw damaged(path, offset + got, 'the file is cut short');
  return words;
}
