import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failure } from '../batch-sender.ts';
import { AppendFile } from './append-file.ts';

export const REFUSED_NAME = 'refused.ndjson';

const LF = 0x0a;
const READ_BYTES = 64 * 1024;

/**
 * Events that the server will never take, with its reasons, one a line. They are nobody's but a person's, who may take the file away at
 * any time: so it is opened each time by its name.
 */
export class RefusedFile {
  readonly #path: string;

  constructor(dir: string) {
    this.#path = join(dir, REFUSED_NAME);
  }

  /** When it rejects, they are not in it. */
  async append(refused: readonly Failure[]): Promise<void> {
    const lines = refused.map(
      ({ event, error: { code, message } }) => `${JSON.stringify({ code, detail: message, event })}\n`,
    );
    await mendEnd(this.#path);
    const file = await AppendFile.open(this.#path, 'a+');
    try {
      await file.append(Buffer.from(lines.join('')));
    } finally {
      await file.close();
    }
  }
}

/** Ends the last line, or cuts it off when a crash has left it unfinished: its event is not settled, and comes again. */
async function mendEnd(path: string): Promise<void> {
  const handle = await open(path, 'a+', 0o600);
  try {
    const { size } = await handle.stat();
    const line = await lastLine(handle, size);
    if (line.length === 0) return;
    if (isJson(line.toString())) await handle.appendFile('\n');
    else await handle.truncate(size - line.length);
  } finally {
    await handle.close();
  }
}

/** What is behind the last line feed. */
async function lastLine(handle: FileHandle, size: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - READ_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
    const part = buffer.subarray(0, bytesRead);
    const at = part.lastIndexOf(LF);
    parts.unshift(part.subarray(at + 1));
    if (at >= 0) break;
    end = start;
  }
  return Buffer.concat(parts);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
