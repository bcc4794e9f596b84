import { existsSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { SekaliError } from '../../errors.ts';

/** Where an export goes. */
export interface Output {
  write(chunk: Uint8Array): Promise<void>;
  /** All is there. */
  end(): Promise<void>;
  /** It failed: nothing of it is to be taken for an export. */
  abandon(): Promise<void>;
}

/**
 * A file that appears under its name once it is whole and on the disk. Only its owner may read it: the secrets of the store are
 * in it.
 *
 * @throws SekaliError `config_invalid`: there is such a file already
 */
export async function outputFile(path: string): Promise<Output> {
  if (existsSync(path)) throw new SekaliError('config_invalid', `${path} is there already`);
  const partial = `${path}.tmp`;
  // Not one of another user, nor a link, that stands ready under the name.
  await rm(partial, { force: true });
  const file = await open(partial, 'wx', 0o600);
  return {
    write: (chunk) => writeAll(file, chunk),
    async end() {
      await file.sync();
      await file.close();
      await rename(partial, path);
    },
    async abandon() {
      await file.close();
      await rm(partial, { force: true });
    },
  };
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
}

/** Standard output, no faster than that takes it. */
export function standardOutput(): Output {
  const { stdout } = process;
  // Each failure comes twice, to its write and as an event, which would end the process.
  if (stdout.listenerCount('error') === 0) stdout.on('error', () => {});
  return {
    write: (chunk) =>
      new Promise((resolve, reject) => {
        stdout.write(chunk, (error) => (error ? reject(error) : resolve()));
      }),
    async end() {},
    async abandon() {},
  };
}
