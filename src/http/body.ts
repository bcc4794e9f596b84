import type { IncomingMessage, ServerResponse } from 'node:http';
import { SekaliError } from '../errors.ts';
import type { Admission, Ticket } from '../ingest/admission.ts';
import { CONTENT_ENCODINGS, type ContentEncoding } from '../protocol/wire.ts';
import { ByteSink } from './byte-sink.ts';
import { Decompressor } from './decompressor.ts';

export interface TakenBody {
  bytes: Uint8Array<ArrayBuffer>;
  ticket: Ticket;
}

/** Reads request bodies within the bounds of an {@link Admission}. */
export class BodyReader {
  readonly #admission: Admission;
  readonly #bytesMax: number;
  readonly #decompressor = new Decompressor();

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
      if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
      const sent = await this.#read(request, declared, ticket);
      const bytes = encoding === undefined ? sent : await this.#decompress(encoding, sent, ticket);
      return { bytes, ticket };
    } catch (error) {
      ticket.release();
      throw error;
    }
  }

  async #read(request: IncomingMessage, declared: number, ticket: Ticket): Promise<Uint8Array<ArrayBuffer>> {
    const body = this.#sink(declared, ticket, 'the body');
    try {
      await readAll(request, body);
      return body.bytes();
    } catch (error) {
      body.discard();
      throw error;
    }
  }

  async #decompress(
    encoding: ContentEncoding,
    sent: Uint8Array<ArrayBuffer>,
    ticket: Ticket,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const body = this.#sink(0, ticket, 'the body, decompressed,', sent.buffer.byteLength);
    try {
      await this.#decompressor.run(encoding, sent, body);
      const bytes = body.bytes();
      ticket.resize(bytes.buffer.byteLength); // what was sent is not needed any more
      return bytes;
    } catch (error) {
      body.discard();
      throw error;
    }
  }

  /** @param besides bytes that the ticket holds for something else */
  #sink(expected: number, ticket: Ticket, what: string, besides = 0): ByteSink {
    return new ByteSink(expected, this.#bytesMax, (bytes) => {
      if (bytes > this.#bytesMax) throw this.#tooLarge(what);
      if (!ticket.resize(bytes + besides)) throw overloaded();
    });
  }

  #tooLarge(what: string): SekaliError {
    return new SekaliError('body_too_large', `${what} must have at most ${this.#bytesMax} bytes`, {
      limit: this.#bytesMax,
    });
  }
}

/**
 * Reads a request to its end by events: destroying the stream half-way, as leaving an async iteration does, would cut the
 * connection before the refusal is answered.
 */
async function readAll(request: IncomingMessage, sink: ByteSink): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      try {
        sink.add(chunk);
      } catch (error) {
        request.removeListener('data', onData);
        reject(error);
      }
    };
    const onBroken = () => reject(new SekaliError('request_invalid', 'the request broke off'));
    request.on('data', onData);
    request.once('end', resolve);
    request.once('close', onBroken); // after `end` too, when it says nothing new
  });
}

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
