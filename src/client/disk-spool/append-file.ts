import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file that is only written at its end, and synced each time. What is not synced is not in it. */
export class AppendFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #end: number;
  #isSound = true;

  private constructor(path: string, handle: FileHandle, end: number) {
    this.path = path;
    this.#handle = handle;
    this.#end = end;
  }

  /** @param flags `w+` for a new one, `a+` for one that may be there */
  static async open(path: string, flags: 'w+' | 'a+'): Promise<AppendFile> {
    const handle = await open(path, flags, 0o600);
    return new AppendFile(path, handle, (await handle.stat()).size);
  }

  get end(): number {
    return this.#end;
  }

  /** False after a failed sync: what the disk has of the file is unknown then, and a later sync would not tell. */
  get isSound(): boolean {
    return this.#isSound;
  }

  /** When it rejects, nothing was appended. */
  async append(bytes: Buffer): Promise<void> {
    try {
      await this.#writeAll(bytes);
    } catch (error) {
      await this.#cut();
      throw error;
    }
    try {
      await this.#handle.datasync();
      // The first bytes need the file's name, too.
      if (this.#end === 0) await syncDirectory(dirname(this.path));
    } catch (error) {
      this.#isSound = false;
      await this.#cut();
      throw error;
    }
    this.#end += bytes.length;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#end + done);
      done += bytesWritten;
    }
  }

  async #cut(): Promise<void> {
    try {
      await this.#handle.truncate(this.#end);
    } catch {
      this.#isSound = false;
    }
  }
}

/** Makes the names in it durable. */
export async function syncDirectory(dir: string): Promise<void> {
  // Windows has no such thing, nor needs it.
  if (process.platform === 'win32') return;
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
