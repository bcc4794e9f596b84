import { failpoint } from '../../failpoint.ts';
import { ENTRY_WORDS } from './entry.ts';
import { type ForgetBefore, Forgetter } from './forget.ts';
import type { LoadedGeneration } from './generation.ts';
import { GenerationWriter } from './generation-writer.ts';
import { sortEntries } from './sort-entries.ts';

export interface SealOptions {
  dir: string;
  owner: Uint8Array;
  origin: 'seal' | 'rebuild';
  words: Int32Array;
  count: number;
  firstPosition: number;
  lastPosition: number;
  forgetBefore: ForgetBefore;
}

/** Writes the entries of a hot table to a generation. */
export function sealEntries(options: SealOptions): LoadedGeneration | undefined {
  const { words: unsorted, count, forgetBefore, ...file } = options;
  const { words, order } = sortEntries(unsorted, count);
  if (file.origin === 'seal') failpoint('seal.sorted');
  const forgetter = new Forgetter(forgetBefore);
  const writer = new GenerationWriter({ ...file, keysMax: count });
  try {
    for (let i = 0; i < count; i++) {
      const at = order[i]! * ENTRY_WORDS;
      if (!forgetter.forgets(words, at)) writer.add(words, at);
    }
    return writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}
