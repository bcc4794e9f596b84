import { SekaliError } from '../../errors.ts';

/** What is needed of the `@redis/client` package. */
interface RedisDriver {
  createClient(options: {
    url: string;
    RESP: 2;
    disableOfflineQueue: true;
    socket: { connectTimeout: number; reconnectStrategy: false };
  }): RedisClient;
}

/** One connection. It answers in the order of its commands; a reply of the kind "error" rejects. */
export interface RedisClient {
  connect(): Promise<unknown>;
  sendCommand(
    args: readonly RedisArgument[],
    options?: { typeMapping: Record<number, unknown> },
  ): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** Ends it at once; commands without a reply reject. */
  destroy(): void;
}

export type RedisArgument = string | Buffer;

/** Of {@link RedisClient.sendCommand}: texts in replies as the bytes that they are. 36 is `$`, the mark of such a reply. */
export const AS_BUFFERS = { typeMapping: { 36: Buffer } };

const CONNECT_TIMEOUT_MS = 5000;

/**
 * A client for this URL: `redis://` or, over TLS, `rediss://`, with user, password and number of the database, as
 * `rediss://user:password@host:6379/0`. It does not reconnect by itself: see connection.ts.
 *
 * The driver is loaded here, when the first queue is opened, so that those who have none need not have it.
 *
 * @throws SekaliError `config_invalid`
 */
export async function createClient(url: string): Promise<RedisClient> {
  const driver = await loadDriver();
  const socket = { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false } as const;
  try {
    // RESP 2: its replies have one shape on all servers, and are arrays.
    return driver.createClient({ url, RESP: 2, disableOfflineQueue: true, socket });
  } catch {
    throw urlInvalid();
  }
}

/** Host and port, for messages: of a URL with a password nothing else may be told. @throws SekaliError `config_invalid` */
export function addressOf(url: string): string {
  if (!URL.canParse(url)) throw urlInvalid();
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'redis:' && protocol !== 'rediss:') throw urlInvalid();
  return `${hostname}:${port === '' ? '6379' : port}`;
}

// Without what was thrown as its cause: it quotes the URL, and the URL has the password.
function urlInvalid(): SekaliError {
  return new SekaliError(
    'config_invalid',
    'The URL of Redis is not valid: it must look like redis://user:password@host:6379/0, or rediss:// for TLS.',
  );
}

async function loadDriver(): Promise<RedisDriver> {
  try {
    return await import('@redis/client');
  } catch (cause) {
    throw new SekaliError(
      'config_invalid',
      'A Redis queue needs the package @redis/client, which is not there: npm install @redis/client',
      { cause },
    );
  }
}
