import { renameSync } from 'node:fs';
import { basename } from 'node:path';
import { SekaliError } from '../../errors.ts';
import { asideName } from './generation.ts';

/** The failure of a file that is not what was written. */
export function damaged(path: string, offset: number, reason: string): SekaliError {
  return new SekaliError('store_damaged', `${basename(path)} is damaged at byte ${offset}: ${reason}`, {
    file: path,
    offset,
    reason,
  });
}

/** The same, for a file that is in use: it is set aside, so that the next start does not trust it but rebuilds it. */
export function setAside(path: string, error: unknown): unknown {
  if (!(error instanceof SekaliError) || error.code !== 'store_damaged') return error;
  try {
    renameSync(path, asideName(path));
  } catch {
    // It has been set aside already, or the disk refuses: the failure that is being told is the one that matters.
  }
  return error;
}

/** Turns a failed read of a file into damage where the disk says that it cannot give the bytes; others stay as they are. */
export function readFailure(path: string, offset: number, error: unknown): unknown {
  const lost = error instanceof Error && 'code' in error && error.code === 'EIO';
  return lost ? damaged(path, offset, 'the disk cannot read it') : error;
}
