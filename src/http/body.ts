import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { SekaliError } from '../errors.ts';
import type { Admission, Ticket } from '../ingest/admission.ts';
import { CONTENT_ENCODINGS, type ContentEncoding } from '../protocol/wire.ts';

/**
 * Decompressions under way at once. The bodies are in memory by then, so no client can hold one up; four keep zlib's
 * threads busy, and bound what the decoders' windows take (16 MiB each at most).
 */
const DECOMPRESSIONS_MAX = 4;

/** 2^24 bytes: twice what RFC 8878 asks a decoder to support. A frame that wants more is refused. */
const ZSTD_WINDOW_LOG_MAX = 24;

export interface TakenBody {
  bytes: Uint8Array<ArrayBuffer>;
  ticket: Ticket;
}

/** Reads request bodies within the bounds of an {@link Admission}. */
export class BodyReader {
  readonly #admission: Admission;
  readonly #bytesMax: number;
  #decompressing = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(admission: Admission, bytesMax: number) {
    this.#admission = admission;
    this.#bytesMax = bytesMax;
  }

  /**
   * Takes a body, decompressed. The ticket is the caller's to release.
   *
   * @throws SekaliError `encoding_unknown`, `body_too_large`, `overloaded`, `encoding_invalid`, `request_invalid`
   */
  async take(request: IncomingMessage, response: ServerResponse): Promise<TakenBody> {
    const encoding = encodingOf(request);
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > this.#bytesMax) throw this.#tooLarge('the body');
    const ticket = this.#admission.admit(declared);
    if (ticket === undefined) throw overloaded();
    try {
      // Asked for only now: a client that waits for it (RFC 9110 section 10.1.1) sends nothing that would be refused.
      if (request.headers.expect !== undefined) response.writeContinue();
      const sent = await this.#read(request, declared, ticket);
      const bytes = encoding === undefined ? sent : await this.#decompress(encoding, sent, ticket);
      return { bytes, ticket };
    } catch (error) {
      ticket.release();
      throw error;
    }
  }

  async #read(request: IncomingMessage, declared: number, ticket: Ticket): Promise<Uint8Array<ArrayBuffer>> {
    // Read to its end by events: destroying the stream half-way, as leaving an async iteration does, would cut the
    // connection before the refusal is answered.
    const body = new ByteSink(declared, (bytes) => this.#reserve(bytes, ticket, 'the body'));
    await new Promise<void>((resolve, reject) => {
      const stop = (error: unknown) => {
        request.removeListener('data', onData);
        reject(error);
      };
      const onData = (chunk: Buffer) => {
        try {
          body.add(chunk);
        } catch (error) {
          stop(error);
        }
      };
      request.on('data', onData);
      request.once('end', resolve);
      request.once('error', () => stop(new SekaliError('request_invalid', 'the request broke off')));
      request.once('close', () => stop(new SekaliError('request_invalid', 'the request broke off')));
    });
    return body.bytes();
  }

  async #decompress(
    encoding: ContentEncoding,
    sent: Uint8Array<ArrayBuffer>,
    ticket: Ticket,
  ): Promise<Uint8Array<ArrayBuffer>> {
    await this.#enterDecompression();
    try {
      const body = new ByteSink(0, (bytes) =>
        this.#reserve(sent.length + bytes, ticket, 'the body, decompressed,', sent.length),
      );
      await pipeline(Readable.from([sent]), DECODERS[encoding](), async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) body.add(chunk);
      });
      return body.bytes();
    } catch (error) {
      if (error instanceof SekaliError) throw error;
      throw new SekaliError('encoding_invalid', `the body is no valid ${encoding}`, { cause: error });
    } finally {
      this.#leaveDecompression();
    }
  }

  #reserve(bytes: number, ticket: Ticket, what: string, besides = 0): void {
    if (bytes - besides > this.#bytesMax) throw this.#tooLarge(what);
    if (!ticket.resize(bytes)) throw overloaded();
  }

  #tooLarge(what: string): SekaliError {
    return new SekaliError('body_too_large', `${what} must have at most ${this.#bytesMax} bytes`, {
      limit: this.#bytesMax,
    });
  }

  async #enterDecompression(): Promise<void> {
    if (this.#decompressing < DECOMPRESSIONS_MAX) this.#decompressing++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The place goes to who has waited longest. */
  #leaveDecompression(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#decompressing--;
  }
}

/** Collects chunks into one array of its own, which can be handed to another thread. */
class ByteSink {
  #array: Uint8Array<ArrayBuffer>;
  #length = 0;
  readonly #reserve: (bytes: number) => void;

  constructor(expected: number, reserve: (bytes: number) => void) {
    this.#array = new Uint8Array(expected);
    this.#reserve = reserve;
  }

  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#array.length) {
      this.#reserve(length);
      const larger = new Uint8Array(Math.max(length, this.#length * 2));
      larger.set(this.#array.subarray(0, this.#length));
      this.#array = larger;
    }
    this.#array.set(chunk, this.#length);
    this.#length = length;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#array.subarray(0, this.#length);
  }
}

const DECODERS = {
  gzip: () => zlib.createGunzip(),
  deflate: () => zlib.createInflate(),
  br: () => zlib.createBrotliDecompress(),
  zstd: () =>
    zlib.createZstdDecompress({ params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } }),
} as const satisfies Record<ContentEncoding, () => NodeJS.ReadWriteStream>;

function encodingOf(request: IncomingMessage): ContentEncoding | undefined {
  const given = request.headers['content-encoding']?.trim().toLowerCase();
  if (given === undefined || given === '' || given === 'identity') return undefined;
  const name = given === 'x-gzip' ? 'gzip' : given;
  const known = CONTENT_ENCODINGS.find((encoding) => encoding === name);
  if (known) return known;
  throw new SekaliError(
    'encoding_unknown',
    `content encoding ${JSON.stringify(given)} is not known: use ${CONTENT_ENCODINGS.join(', ')} or none`,
  );
}

function overloaded(): SekaliError {
  return new SekaliError('overloaded', 'too many events are under way: send them again a little later');
}
