import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { SekaliError } from '../errors.ts';
import type { ContentEncoding } from '../protocol/wire.ts';
import type { ByteSink } from './byte-sink.ts';

/**
 * Decompressions under way at once. The bodies are in memory by then, so no client can hold one up; four keep zlib's
 * threads busy, and bound what the decoders' windows take (16 MiB each at most).
 */
const DECOMPRESSIONS_MAX = 4;

/** 2^24 bytes: twice what RFC 8878 asks a decoder to support. A frame that wants more is refused. */
const ZSTD_PARAMETERS = { [zlib.constants.ZSTD_d_windowLogMax]: 24 };

/** Each chunk is a trip to another thread; with Node's 16 KiB, a large body took twice the time. */
const CHUNK_BYTES = 64 * 1024;

/** A shipper that flushes after every few events sends a frame each time; a body of nothing but frames is an attack. */
const ZSTD_FRAMES_MAX = 1000;

/** Decompresses request bodies, a few at a time. */
export class Decompressor {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * @param sink gets what comes out; what it throws ends the decompression
   * @throws SekaliError `encoding_invalid`, and what the sink throws
   */
  async run(encoding: ContentEncoding, sent: Uint8Array, sink: ByteSink): Promise<void> {
    await this.#enter();
    try {
      await decompressAll(encoding, sent, sink);
    } catch (error) {
      if (error instanceof SekaliError) throw error;
      throw invalid(`the body is no valid ${encoding}: ${(error as Error).message}`, error);
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < DECOMPRESSIONS_MAX) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The place goes to who has waited longest. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }
}

/**
 * To the last byte: Node's decoders stop in silence where a stream ends, and what follows it would be lost. Behind a
 * zstd frame may come another (RFC 8878 section 3.1), which to Node before 26 is a new stream; it knows the members of
 * gzip (RFC 1952 section 2.2) itself.
 */
async function decompressAll(encoding: ContentEncoding, sent: Uint8Array, sink: ByteSink): Promise<void> {
  let at = await decompressOne(encoding, sent, sink);
  for (let frames = 1; at < sent.length; frames++) {
    if (encoding !== 'zstd')
      throw invalid(`the body goes on behind its ${encoding}, which ends at byte ${at}`);
    if (frames === ZSTD_FRAMES_MAX) throw invalid(`the body has more than ${ZSTD_FRAMES_MAX} zstd frames`);
    at += await decompressOne(encoding, sent.subarray(at), sink);
  }
}

/** @returns how many bytes the stream that was decompressed had */
async function decompressOne(encoding: ContentEncoding, sent: Uint8Array, sink: ByteSink): Promise<number> {
  const decoder = DECODERS[encoding]();
  await pipeline(Readable.from([sent]), decoder, async (chunks: AsyncIterable<Uint8Array>) => {
    for await (const chunk of chunks) sink.add(chunk);
  });
  return decoder.bytesWritten;
}

const DECODERS = {
  gzip: () => zlib.createGunzip({ chunkSize: CHUNK_BYTES }),
  deflate: () => zlib.createInflate({ chunkSize: CHUNK_BYTES }),
  br: () => zlib.createBrotliDecompress({ chunkSize: CHUNK_BYTES }),
  zstd: () => zlib.createZstdDecompress({ chunkSize: CHUNK_BYTES, params: ZSTD_PARAMETERS }),
} as const satisfies Record<ContentEncoding, () => Transform & { bytesWritten: number }>;

function invalid(detail: string, cause?: unknown): SekaliError {
  return new SekaliError('encoding_invalid', detail, { cause });
}
