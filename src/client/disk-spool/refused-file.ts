import { join } from 'node:path';
import type { Failure } from '../batch-sender.ts';
import { AppendFile } from './append-file.ts';

/** Events that the server will never take, with its reasons, one a line. They are nobody's but a person's. */
export class RefusedFile {
  readonly #path: string;
  #file: AppendFile | undefined;

  constructor(dir: string) {
    this.#path = join(dir, 'refused.ndjson');
  }

  /** @returns the bytes that they take */
  async append(refused: readonly Failure[]): Promise<number> {
    const lines = refused.map(
      ({ event, error: { code, message } }) => `${JSON.stringify({ code, detail: message, event })}\n`,
    );
    const bytes = Buffer.from(lines.join(''));
    if (this.#file?.isSound === false) await this.close();
    this.#file ??= await AppendFile.open(this.#path, 'a+');
    await this.#file.append(bytes);
    return bytes.length;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}
