import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SekaliError } from '../../errors.ts';
import type { Generation, LoadedGeneration } from './generation.ts';
import { HotTable } from './hot-table.ts';
import type { KeyedEntry } from './scan-generation.ts';
import { sealEntries } from './seal-entries.ts';

/**
 * Gives the entries of a range of positions anew, from the log, in ascending order; it may leave out what can be forgotten.
 *
 * @throws SekaliError when the log does not have them any more
 */
export type ReadLog = (firstPosition: number, lastPosition: number) => Iterable<KeyedEntry>;

export interface RebuildOptions {
  dir: string;
  owner: Uint8Array;
  hotKeys: number;
  readLog: ReadLog;
}

/**
 * Writes a generation whose file is lost or damaged once more, in pieces of the size of a hot table: memory stays bounded,
 * and merging joins them again.
 *
 * @throws SekaliError `store_damaged` when the log cannot give its keys
 */
export function rebuildGeneration(
  { firstPosition, lastPosition }: Generation,
  fault: string,
  options: RebuildOptions,
): LoadedGeneration[] {
  const pieces: LoadedGeneration[] = [];
  const hot = new HotTable();
  let from = firstPosition;
  const seal = (through: number) => {
    const piece = sealPiece(hot, { firstPosition: from, lastPosition: through }, options);
    if (piece !== undefined) pieces.push(piece);
    hot.clear();
    from = through + 1;
  };
  try {
    for (const { key, position, content, windowClass } of options.readLog(firstPosition, lastPosition)) {
      hot.put(key, position, content, windowClass);
      if (hot.count === options.hotKeys) seal(position);
    }
    if (hot.count > 0) seal(lastPosition);
    return pieces;
  } catch (error) {
    for (const { generation } of pieces) rmSync(join(options.dir, generation.name), { force: true });
    if (!(error instanceof SekaliError)) throw error;
    throw new SekaliError(
      'store_damaged',
      `${fault}; its keys cannot be taken from the log (${error.message}): put the file back from a backup, or restore one`,
      { cause: error, ...error.members },
    );
  }
}

function sealPiece(
  hot: HotTable,
  range: { firstPosition: number; lastPosition: number },
  options: RebuildOptions,
) {
  const { dir, owner } = options;
  const { words, count } = hot;
  return sealEntries({ dir, owner, origin: 'rebuild', words, count, ...range, forgetBefore: [] });
}
