/**
 * How far a file has been shipped. A checkpoint saves work and decides nothing: it is only gone by when the file still
 * begins with the very bytes that were shipped, and the server still has the last event of them. Lost, damaged or left
 * over from another life, it costs sending again what the server then calls duplicates.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { ReaderPosition } from './line-reader.ts';

export interface Checkpoint extends ReaderPosition {
  /** The last event before the position that the server has. */
  readonly eventId: string;
}

/** What a checkpoint is for. One of another server, topic, identity or way of shipping is another one. */
export interface CheckpointKey {
  readonly url: string;
  readonly topic: string;
  readonly identity: string;
  readonly follow: boolean;
  /** Absolute. */
  readonly path: string;
}

export class CheckpointFile {
  readonly #dir: string;
  readonly #file: string;
  readonly #path: string;

  constructor(dir: string, { url, topic, identity, follow, path }: CheckpointKey) {
    const key = createHash('sha256').update(JSON.stringify([url, topic, identity, follow, path]));
    this.#dir = dir;
    this.#file = join(dir, `${key.digest('hex').slice(0, 32)}.json`);
    this.#path = path;
  }

  /** @returns undefined when there is none that can be read */
  async read(): Promise<Checkpoint | undefined> {
    try {
      return asCheckpoint(JSON.parse(await readFile(this.#file, 'utf8')));
    } catch {
      return undefined;
    }
  }

  /** Replaces the checkpoint in one step: after a crash there is the old one or the new one. */
  async write({ offset, sha256, eventId }: Checkpoint): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const fresh = `${this.#file}.${process.pid}`;
    const handle = await open(fresh, 'w', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify({ file: this.#path, offset, sha256, eventId })}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, this.#file);
  }

  /** One that cannot be removed is still right: the next run then goes on behind what this one shipped. */
  async remove(): Promise<void> {
    await rm(this.#file, { force: true }).catch(() => {});
  }
}

/** Where checkpoints are kept unless the operator says otherwise (XDG Base Directory Specification). */
export function stateDir(env: Readonly<Record<string, string | undefined>>): string {
  const state = env['XDG_STATE_HOME'];
  // The specification: a relative path is to be ignored.
  const base = state !== undefined && isAbsolute(state) ? state : join(homedir(), '.local', 'state');
  return join(base, 'sekali', 'ship');
}

function asCheckpoint(value: unknown): Checkpoint | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { offset, sha256, eventId } = value as Record<string, unknown>;
  return typeof offset === 'number' &&
    Number.isSafeInteger(offset) &&
    offset > 0 &&
    typeof sha256 === 'string' &&
    typeof eventId === 'string'
    ? { offset, sha256, eventId }
    : undefined;
}
