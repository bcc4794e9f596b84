import { randomBytes } from 'node:crypto';
import type { ClassPositions } from './forget.ts';

/**
 * A generation: the sealed keys of a range of positions, as the manifest of the store names it. Its file never changes; one
 * generation takes the place of others.
 */
export interface Generation {
  /** Name of its file, used once and never again: it ends in random digits. */
  readonly name: string;
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** Entries in the file. */
  readonly keys: number;
  /** Size of the file. */
  readonly bytes: number;
}

/**
 * A change of the manifest that background work has made ready, for the store to write with its next transaction. What is
 * added is complete on the disk; what is removed is still there.
 */
export interface Step {
  readonly add: readonly Generation[];
  readonly remove: readonly Generation[];
  /** If it is there: the keys of all positions up to this one are in generations, or were forgotten. */
  readonly sealedThrough?: number;
}

/** What a generation file is written for: sealing a hot table, merging generations, or rebuilding one from the log. */
export type Origin = 'seal' | 'merge' | 'rebuild';

const SUFFIX = '.keys';
const ID_BYTES = 8;
const NAME = /^(?:seal|merge|rebuild)-\d+-\d+-([0-9a-f]{16})\.keys(?:\.tmp|\.damaged)?$/;

/** A new name. The digits at its end are {@link idOf} the file, which also stands in its header and in every page. */
export function newName(origin: Origin, firstPosition: number, lastPosition: number): string {
  return `${origin}-${firstPosition}-${lastPosition}-${randomBytes(ID_BYTES).toString('hex')}${SUFFIX}`;
}

/** The random digits of a name as two words; undefined when the name is not of a generation file. */
export function idOf(name: string): Int32Array | undefined {
  const digits = NAME.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const bytes = Buffer.from(digits, 'hex');
  return Int32Array.of(bytes.readInt32LE(0), bytes.readInt32LE(4));
}

export function isTemporary(name: string): boolean {
  return name.endsWith('.tmp');
}

export function isRebuilt(name: string): boolean {
  return name.startsWith('rebuild-');
}

/** Name that a file found damaged is set aside under. */
export function asideName(name: string): string {
  return `${name}.damaged`;
}

/** A generation and the part of its file that is held in memory. Made by whoever wrote or opened the file. */
export interface LoadedGeneration {
  readonly generation: Generation;
  /** The first key of each page, four words each. */
  readonly directory: Int32Array;
  readonly filter: Int32Array;
  /** The newest position of each window class in it, class 0 with them; undefined when there were too many classes. */
  readonly newestOfClass: ClassPositions | undefined;
}
