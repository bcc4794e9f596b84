import { setTimeout as sleep } from 'node:timers/promises';
import type { DataDir } from '../data-dir.ts';

const LOOK_EVERY_MS = 500;

/** Looks without a file under way after which it is over: between two merges there is a moment without one. */
const LOOKS = 4;

/** Resolves when no generation of keys is being sealed or merged any more. */
export async function settled(dataDir: DataDir): Promise<void> {
  for (let quiet = 0; quiet < LOOKS; ) {
    const isBusy = Object.keys(dataDir.sizes()).some((name) => name.endsWith('.tmp'));
    quiet = isBusy ? 0 : quiet + 1;
    await sleep(LOOK_EVERY_MS);
  }
}
