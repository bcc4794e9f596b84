/**
 * HTTP as a black-box test needs it: what is written is what goes over the wire, and nothing is retried, followed or
 * decoded on the way.
 */
import { once } from 'node:events';
import http, { type IncomingHttpHeaders } from 'node:http';
import net from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export class Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;

  constructor(status: number, headers: IncomingHttpHeaders, body: Buffer) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  get text(): string {
    return this.body.toString('utf8');
  }

  /** The body as what the test takes it for: a cast, which reads better here than at each use. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  json<T = Record<string, unknown>>(): T {
    return JSON.parse(this.text) as T;
  }
}

export interface SendOptions {
  method?: string;
  headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Chunks are sent without a Content-Length, as they come. */
  body?: string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Keeps connections between requests; by default as Node does. `false` opens one for this request alone. */
  agent?: http.Agent | false;
}

/** Sends one request. The path goes out as it is written. Rejects when no whole answer comes. */
export async function send(url: string, path: string, options: SendOptions = {}): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const { method = 'GET', headers = {}, body, agent } = options;
  const request = http.request({
    host: hostname.replace(/^\[|\]$/g, ''),
    port,
    path,
    method,
    headers: headers as http.OutgoingHttpHeaders,
    ...(agent !== undefined && { agent }),
  });
  const answered = readAnswer(request);
  if (body === undefined) request.end();
  else if (typeof body === 'string' || body instanceof Uint8Array) {
    // Node says how long a body is only where it expects one, which it does not of DELETE.
    request.setHeader('content-length', Buffer.byteLength(body));
    request.end(body);
  }
  // The answer tells of it when the body could not be sent.
  else pipeline(Readable.from(body), request).catch(() => {});
  try {
    return await answered;
  } finally {
    // With its answer in hand, a client sends no more.
    if (!request.writableFinished) request.destroy();
  }
}

async function readAnswer(request: http.ClientRequest): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    request.on('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve(new Answer(response.statusCode ?? 0, response.headers, Buffer.concat(chunks))),
      );
    });
  });
}

/** Far longer than any test waits: one that waits for what never comes must fail. */
const SILENCE_MAX_MS = 60_000;

/** A connection on which a test writes its requests itself, byte by byte. */
export class RawConnection {
  readonly socket: net.Socket;
  /** Resolves when the other side has closed, whether in peace or not. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  /** Resolves when more has come, or nothing more will. */
  #changed = Promise.withResolvers<void>();

  private constructor(socket: net.Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve, reject) => {
      socket.once('close', () => resolve());
      socket.setTimeout(SILENCE_MAX_MS, () => {
        reject(new Error(`nothing happened on the connection for ${SILENCE_MAX_MS} ms`));
        socket.destroy();
      });
    });
    this.closed.catch(() => {}); // whoever waits for it hears of it
    socket.on('error', () => {}); // `closed` and a missing answer tell of it
    socket.on('data', (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
    for (const event of ['data', 'end', 'close']) {
      socket.on(event, () => {
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
      });
    }
  }

  /** @param allowHalfOpen whether this side stays open when the other has closed, rather than close too */
  static async open(url: string, { allowHalfOpen = false } = {}): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = net.connect({ host, port: Number(port), allowHalfOpen });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Closes at once, without reading what has come. */
  cut(): void {
    this.socket.destroy();
  }

  /** The next answer on this connection; rejects when it is closed before the answer is whole. */
  async answer(): Promise<Answer> {
    const head = await this.#take((bytes) => {
      const end = bytes.indexOf('\r\n\r\n');
      return end === -1 ? undefined : end + 4;
    });
    const [statusLine = '', ...lines] = head.toString('latin1').trimEnd().split('\r\n');
    const headers: IncomingHttpHeaders = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const length = Number(headers['content-length'] ?? 0);
    const body = await this.#take((bytes) => (bytes.length >= length ? length : undefined));
    return new Answer(Number(statusLine.split(' ')[1]), headers, body);
  }

  /** Everything that came and was not taken as an answer, once the other side has closed. */
  async rest(): Promise<string> {
    await this.closed;
    return this.#received.toString('latin1');
  }

  /** Takes as many of the received bytes as `measure` says, waiting until it says. */
  async #take(measure: (bytes: Buffer) => number | undefined): Promise<Buffer> {
    for (;;) {
      const length = measure(this.#received);
      if (length !== undefined) {
        const taken = this.#received.subarray(0, length);
        this.#received = this.#received.subarray(length);
        return taken;
      }
      if (this.socket.destroyed || this.socket.readableEnded) {
        throw new Error(`the connection was closed within an answer: ${this.#received.toString('latin1')}`);
      }
      await this.#changed.promise;
    }
  }
}

/** The bytes of a request, written by hand. `Host` is added unless given. */
export function requestText(
  line: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = '',
): Buffer {
  const all = { host: 'localhost', ...headers };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${line} HTTP/1.1\r\n${head.join('')}\r\n`), Buffer.from(body)]);
}
