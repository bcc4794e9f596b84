import type { Generation } from './generation.ts';

/** Keys of a generation that is left as it is: 8 GB of file, half a GB of filter. */
const MERGED_KEYS_MAX = 2 ** 28;

/**
 * Which generations to merge next, if any. A generation's level says how often the fan-in must be multiplied with itself to
 * get from a sealed table to its size; as soon as there are fan-in many of one level, they are merged to one of the next.
 * So a key is rewritten once a level, and fewer than fan-in generations of each level are there to be searched.
 *
 * Only neighbours are merged, so that "newer" stays a matter of whole generations: smaller ones that lie between (where keys
 * were forgotten, or a damaged file was rebuilt in pieces) go along.
 *
 * @param generations oldest first
 */
export function planMerge(
  generations: readonly Generation[],
  { hotKeys, fanIn }: { hotKeys: number; fanIn: number },
): Generation[] | undefined {
  const levels = generations.map(({ keys }) => levelOf(keys / hotKeys, fanIn));
  for (let level = 0; level <= Math.max(...levels); level++) {
    const run = runOf(levels, level, fanIn);
    if (run === undefined) continue;
    const inputs = generations.slice(run.begin, run.end);
    if (inputs.reduce((sum, { keys }) => sum + keys, 0) <= MERGED_KEYS_MAX) return inputs;
  }
  return undefined;
}

function levelOf(size: number, fanIn: number): number {
  return Math.max(0, Math.round(Math.log(size) / Math.log(fanIn)));
}

/** From the first to the last of fan-in many of a level with none above it in between. */
function runOf(levels: readonly number[], level: number, fanIn: number) {
  let begin = 0;
  let found = 0;
  for (const [i, each] of levels.entries()) {
    if (each > level) found = 0;
    if (each !== level) continue;
    if (found++ === 0) begin = i;
    if (found === fanIn) return { begin, end: i + 1 };
  }
  return undefined;
}
