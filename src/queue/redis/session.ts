import { AS_BUFFERS, type RedisArgument, type RedisClient } from './driver.ts';

/** Longer than any command takes, and short enough that a server that has gone without a word is noticed. */
const COMMAND_TIMEOUT_MS = 5000;

export interface SendOptions {
  /** How long the command itself may wait at the server, in milliseconds. */
  waitMs?: number;
  /** Texts of the reply as buffers. */
  binary?: boolean;
}

/**
 * One connection from its beginning to its end. It ends with its first failure: when the socket does, or when a reply does
 * not come in time, for whatever came on it afterwards would be of unknown age. What waits for a reply then rejects.
 */
export class RedisSession {
  readonly #client: RedisClient;
  readonly #onEnd: (cause: unknown) => void;
  #ended = false;

  private constructor(client: RedisClient, onEnd: (cause: unknown) => void) {
    this.#client = client;
    this.#onEnd = onEnd;
    client.on('error', (error) => this.#end(error));
  }

  /** `onEnd` is told once, at the end of a session that had begun, unless it is ended from here. */
  static async open(client: RedisClient, onEnd: (cause: unknown) => void): Promise<RedisSession> {
    const session = new RedisSession(client, onEnd);
    try {
      await client.connect();
      return session;
    } catch (error) {
      session.end();
      throw error;
    }
  }

  /** @throws what the server or the network says, as it is */
  async send(
    args: readonly RedisArgument[],
    { waitMs = 0, binary = false }: SendOptions = {},
  ): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => {
      const error = new Error(`no reply to ${String(args[0])} within ${COMMAND_TIMEOUT_MS} ms`);
      reject(error);
      this.#end(error);
    }, waitMs + COMMAND_TIMEOUT_MS);
    this.#client.sendCommand(args, binary ? AS_BUFFERS : undefined).then(resolve, reject);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  end(): void {
    this.#ended = true;
    this.#client.destroy();
  }

  #end(cause: unknown): void {
    if (this.#ended) return;
    this.end();
    this.#onEnd(cause);
  }
}
