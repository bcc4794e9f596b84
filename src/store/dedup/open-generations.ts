import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SekaliError } from '../../errors.ts';
import { asideName, type Generation, idOf, isRebuilt, isTemporary, type Step } from './generation.ts';
import { GenerationFile } from './generation-file.ts';
import { type RebuildOptions, rebuildGeneration } from './rebuild-generation.ts';
import { syncDirectory } from './sync-directory.ts';

export interface OpenOptions extends RebuildOptions {
  generations: readonly Generation[];
  onProgress?: ((message: string) => void) | undefined;
}

/**
 * Opens the generations that the manifest names, and makes the directory and the manifest agree:
 *
 * - a generation whose file is missing, cut short, of another data directory or fails a checksum is rebuilt from the log;
 * - a file that the manifest does not name is what a crash left of a step that was never written, or younger than a
 *   database that was restored. It is removed, but only when all else is well: a start that is refused because database and
 *   directory do not belong together leaves the directory as it was. Half-written and rebuilt files are removed at once,
 *   that starts which fail again and again do not fill the disk.
 *
 * @returns the open files, oldest first, and the step that says what was rebuilt
 * @throws SekaliError `store_damaged`
 */
export function openGenerations(options: OpenOptions): { files: GenerationFile[]; step: Step | undefined } {
  const { dir } = options;
  const generations = options.generations.toSorted((one, other) => one.firstPosition - other.firstPosition);
  checkRanges(generations);
  if (mkdirSync(dir, { recursive: true }) !== undefined) syncDirectory(dirname(dir));
  const named = new Set(generations.map(({ name }) => name));
  const asides = new Set(generations.map(({ name }) => asideName(name)));
  const isLeftover = (name: string) => isTemporary(name) || (isRebuilt(name) && !asides.has(name));
  removeFiles(dir, (name) => !named.has(name) && isLeftover(name));

  const files: GenerationFile[] = [];
  const add: Generation[] = [];
  const remove: Generation[] = [];
  try {
    for (const generation of generations) {
      try {
        files.push(GenerationFile.open(dir, generation, options.owner));
      } catch (error) {
        if (!(error instanceof SekaliError) || error.code !== 'store_damaged') throw error;
        const pieces = rebuilt(generation, error, options);
        files.push(...pieces);
        add.push(...pieces.map((piece) => piece.generation));
        remove.push(generation);
      }
    }
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
  const kept = new Set([
    ...named,
    ...add.map(({ name }) => name),
    ...remove.map(({ name }) => asideName(name)),
  ]);
  removeFiles(dir, (name) => !kept.has(name));
  return { files, step: remove.length > 0 ? { add, remove } : undefined };
}

function rebuilt(generation: Generation, fault: SekaliError, options: OpenOptions): GenerationFile[] {
  options.onProgress?.(`${fault.message}; its ${generation.keys} keys are rebuilt from the log`);
  return rebuildGeneration(generation, fault.message, options).map(
    (piece) => new GenerationFile(options.dir, piece),
  );
}

/** Removes files of generations; what has another kind of name is not ours. */
function removeFiles(dir: string, isUnwanted: (name: string) => boolean): void {
  const unwanted = readdirSync(dir).filter((name) => idOf(name) !== undefined && isUnwanted(name));
  for (const name of unwanted) rmSync(join(dir, name), { force: true });
  if (unwanted.length > 0) syncDirectory(dir);
}

function checkRanges(generations: readonly Generation[]): void {
  let last = 0;
  for (const { name, firstPosition, lastPosition } of generations) {
    if (firstPosition <= last || lastPosition < firstPosition) {
      throw new SekaliError(
        'store_damaged',
        `the manifest of keys contradicts itself: ${name} begins after position ${last}: restore a backup`,
      );
    }
    last = lastPosition;
  }
}
