import type { ClassPositions } from './forget.ts';
import {
  bytesOf,
  CHECKED_BYTES,
  CHECKSUM,
  checksum,
  type Header,
  OWNER_BYTES,
  PAGE_WORDS,
} from './generation-format.ts';

// The header. Numbers over 32 bits take two words, the lower one first.
const MAGIC = 0x594b4b53; // SKKY
const VERSION = 1;
const OWNER = 2;
const ID = 6;
const FIRST_POSITION = 8;
const LAST_POSITION = 10;
const KEYS = 12;
const PAGES = 14;
const FILTER_BLOCKS = 15;
const FILTER_CHECKSUM = 16;
const DIRECTORY_CHECKSUM = 17;
const CLASSES = 18;
const CLASS_WORDS = 3;
const CLASSES_MAX = 300;
const CLASSES_UNKNOWN = -1;

export function encodeHeader(header: Header): Int32Array {
  const words = new Int32Array(PAGE_WORDS);
  words[0] = MAGIC;
  words[1] = VERSION;
  bytesOf(words).set(header.owner, OWNER * 4);
  words.set(header.id, ID);
  setWide(words, FIRST_POSITION, header.firstPosition);
  setWide(words, LAST_POSITION, header.lastPosition);
  setWide(words, KEYS, header.keys);
  words[PAGES] = header.pages;
  words[FILTER_BLOCKS] = header.filterBlocks;
  words[FILTER_CHECKSUM] = header.filterChecksum;
  words[DIRECTORY_CHECKSUM] = header.directoryChecksum;
  const classes = header.newestOfClass ?? [];
  const known = header.newestOfClass !== undefined && classes.length <= CLASSES_MAX;
  words[CLASSES] = known ? classes.length : CLASSES_UNKNOWN;
  if (known) {
    classes.forEach(([windowClass, position], i) => {
      words[CLASSES + 1 + i * CLASS_WORDS] = windowClass;
      setWide(words, CLASSES + 2 + i * CLASS_WORDS, position);
    });
  }
  words[CHECKSUM] = checksum(bytesOf(words).subarray(0, CHECKED_BYTES));
  return words;
}

/** The header, or why it is none. */
export function decodeHeader(words: Int32Array): Header | string {
  if (words[0] !== MAGIC) return 'it does not begin as a generation of keys';
  if (words[CHECKSUM] !== checksum(bytesOf(words).subarray(0, CHECKED_BYTES))) {
    return 'the header does not fit its checksum';
  }
  if (words[1] !== VERSION) return `it has version ${words[1]}, and this program knows ${VERSION}`;
  return {
    owner: bytesOf(words).slice(OWNER * 4, OWNER * 4 + OWNER_BYTES),
    id: words.slice(ID, ID + 2),
    firstPosition: wide(words, FIRST_POSITION),
    lastPosition: wide(words, LAST_POSITION),
    keys: wide(words, KEYS),
    pages: words[PAGES]!,
    filterBlocks: words[FILTER_BLOCKS]!,
    filterChecksum: words[FILTER_CHECKSUM]!,
    directoryChecksum: words[DIRECTORY_CHECKSUM]!,
    newestOfClass: decodeClasses(words),
  };
}

function decodeClasses(words: Int32Array): ClassPositions | undefined {
  if (words[CLASSES] === CLASSES_UNKNOWN) return undefined;
  return Array.from({ length: words[CLASSES]! }, (_, i) => {
    const at = CLASSES + 1 + i * CLASS_WORDS;
    return [words[at]!, wide(words, at + 1)] as const;
  });
}

function setWide(words: Int32Array, at: number, value: number): void {
  words[at] = value | 0;
  words[at + 1] = Math.floor(value / 2 ** 32);
}

function wide(words: Int32Array, at: number): number {
  return words[at + 1]! * 2 ** 32 + (words[at]! >>> 0);
}
