import type { BackupManifest } from '../store/sqlite/backup-manifest.ts';
import { grouped } from './terminal.ts';

/** What a backup or a restore has copied, as one line. */
export function copied(
  what: string,
  manifest: BackupManifest,
  startedAt: number,
  forProgram: boolean,
): string {
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(3));
  const { events, last_position, taken_at, files } = manifest;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (forProgram) {
    return `${JSON.stringify({ events, last_position, taken_at, files: files.length, bytes, seconds })}\n`;
  }
  const size = `${sizeText(bytes)} in ${grouped(files.length)} ${files.length === 1 ? 'file' : 'files'}`;
  return `${what}: ${grouped(events)} events as of ${taken_at}, ${size}, in ${seconds.toFixed(1)} s\n`;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

function sizeText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  for (; size >= 1024 && unit < UNITS.length - 1; unit++) size /= 1024;
  return `${unit === 0 ? size : size.toFixed(1)} ${UNITS[unit]}`;
}
