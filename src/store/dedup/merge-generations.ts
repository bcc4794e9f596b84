import { join } from 'node:path';
import { failpoint } from '../../failpoint.ts';
import { setAside } from './damage.ts';
import { compareKeys, KEY_WORDS } from './entry.ts';
import { EntryStream } from './entry-stream.ts';
import { type ForgetBefore, Forgetter } from './forget.ts';
import type { Generation, LoadedGeneration } from './generation.ts';
import { GenerationWriter } from './generation-writer.ts';

/** Entries merged between two chances to do something else: about 5 ms of work. */
const SLICE_ENTRIES = 32_768;

export interface MergeOptions {
  dir: string;
  owner: Uint8Array;
  /** Neighbours in age, oldest first. */
  inputs: readonly Generation[];
  forgetBefore: ForgetBefore;
}

/**
 * Merges generations into one, in slices: each `yield` is a place where the work can wait. Of a key that is in several, the
 * newest entry counts; is that one forgotten, so is the key.
 */
export function* mergeGenerations(options: MergeOptions): Generator<void, LoadedGeneration | undefined> {
  const { dir, owner, inputs } = options;
  failpoint('merge.begun');
  const writer = new GenerationWriter({
    dir,
    owner,
    origin: 'merge',
    firstPosition: inputs[0]!.firstPosition,
    lastPosition: inputs.at(-1)!.lastPosition,
    keysMax: inputs.reduce((sum, { keys }) => sum + keys, 0),
  });
  const streams: EntryStream[] = [];
  try {
    for (const { name } of inputs.toReversed()) streams.push(openStream(join(dir, name), owner));
    yield* mergeInto(writer, streams, new Forgetter(options.forgetBefore));
    return writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  } finally {
    for (const stream of streams) stream.close();
  }
}

function openStream(path: string, owner: Uint8Array): EntryStream {
  try {
    return new EntryStream(path, owner);
  } catch (error) {
    throw setAside(path, error);
  }
}

function next(stream: EntryStream): boolean {
  try {
    return stream.next();
  } catch (error) {
    throw setAside(stream.file.path, error);
  }
}

/** @param streams newest first */
function* mergeInto(writer: GenerationWriter, streams: readonly EntryStream[], forgetter: Forgetter) {
  let live = streams.filter(next);
  // The first word of each stream's entry, beside one another.
  let heads = Int32Array.from(live, ({ words, at }) => words[at]!);
  const last = new Int32Array(KEY_WORDS);
  let hasLast = false;
  for (let merged = 1; live.length > 0; merged++) {
    const least = leastOf(live, heads);
    const stream = live[least]!;
    const { words, at } = stream;
    if (!hasLast || compareKeys(words, at, last, 0) !== 0) {
      for (let word = 0; word < KEY_WORDS; word++) last[word] = words[at + word]!;
      hasLast = true;
      if (!forgetter.forgets(words, at)) writer.add(words, at);
    }
    if (next(stream)) {
      heads[least] = words[stream.at]!;
    } else {
      live = live.filter((each) => each !== stream);
      heads = heads.filter((_, i) => i !== least);
    }
    if (merged % SLICE_ENTRIES === 0) yield;
  }
}

/** The stream with the least key; of like keys, the first. */
function leastOf(streams: readonly EntryStream[], heads: Int32Array): number {
  let least = 0;
  for (let i = 1; i < heads.length; i++) {
    if (heads[i]! > heads[least]!) continue;
    if (heads[i]! < heads[least]! || isBefore(streams[i]!, streams[least]!)) least = i;
  }
  return least;
}

function isBefore(one: EntryStream, other: EntryStream): boolean {
  return compareKeys(one.words, one.at, other.words, other.at) < 0;
}
