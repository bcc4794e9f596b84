import { createHash } from 'node:crypto';
import type { RedisArgument } from './driver.ts';
import { isReply } from './failures.ts';
import type { RedisSession, SendOptions } from './session.ts';

/**
 * A script that the server runs as one step. It is sent by its digest; a server that does not know it (it was restarted, or
 * its scripts were flushed) gets its text, and knows it from then on.
 */
export class RedisScript {
  readonly #text: string;
  readonly #digest: string;

  constructor(text: string) {
    this.#text = text;
    this.#digest = createHash('sha1').update(text).digest('hex');
  }

  async run(
    session: RedisSession,
    keys: readonly string[],
    args: readonly RedisArgument[],
    options?: SendOptions,
  ): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await session.send(['EVALSHA', this.#digest, ...rest], options);
    } catch (error) {
      if (!isReply(error, 'NOSCRIPT')) throw error;
      return await session.send(['EVAL', this.#text, ...rest], options);
    }
  }
}
