import { backoffMs } from './backoff.ts';
import { ClientError, messageOf } from './client-error.ts';
import { RequestError } from './request-error.ts';
import { type Frame, FrameParser } from './sse.ts';
import { tell } from './tell.ts';
import { printQuery, type Transport } from './transport.ts';

export interface TailOptions {
  /** Begins with the first event above this position; without it, with what is stored from now on. 0: with the first there is. */
  readonly after?: number | undefined;
  readonly source?: string | undefined;
  /** Ends the loop, without an error. */
  readonly signal?: AbortSignal;
  /** How often the server says that it is alive (`--stream-heartbeat-ms`). After three times of silence the stream is opened anew. Default 15 s. */
  readonly heartbeatMs?: number;
}

export interface TailItem {
  readonly position: number;
  /** JSON text of the event, its payload as it was sent. */
  readonly text: string;
}

/**
 * Follows GET /stream, for ever: a connection that breaks, or on which nothing comes, is opened anew where the last one ended, so each
 * event comes once and in order. A server that is away is waited for.
 *
 * Nothing is read ahead of who takes the events, but for what the connection holds: one who is slow holds the server back, is told to
 * come back, and does.
 *
 * @throws RequestError when a retry cannot help: the key is wrong, the pattern is not valid
 */
export async function* tailItems(
  transport: Transport,
  pattern: string,
  { after, source, signal, heartbeatMs = 15_000 }: TailOptions,
): AsyncGenerator<TailItem, void, undefined> {
  let place = after;
  let failures = 0;
  const isOver = () => signal?.aborted === true;
  while (!isOver()) {
    const path = `/stream${printQuery({ topic: pattern, source, after: place })}`;
    // The header counts where an address is kept, as by a proxy that opens the connection anew.
    const headers = {
      accept: 'text/event-stream',
      ...(place !== undefined && { 'last-event-id': String(place) }),
    };
    const opened = await transport.try(path, { headers }, { signal, read: async (response) => response });
    if (opened instanceof RequestError) {
      if (isOver()) return;
      if (!opened.retryable) throw opened;
      await pause(opened);
      continue;
    }
    try {
      let frames = 0;
      for await (const frame of framesOf(opened.value, heartbeatMs * 3)) {
        // The first one comes at once, also from a server that then breaks off each time.
        if (++frames > 1) failures = 0;
        const position = Number(frame.id);
        // A place never leads back: what was told to be sent may be less than what came.
        if (frame.id !== undefined && Number.isSafeInteger(position) && !(position < (place ?? 0))) {
          // Whoever asks for the next one has taken this one.
          if (isEvent(frame) && position !== place) yield { position, text: frame.data };
          place = position;
        }
        if (isOver()) return;
      }
      await pause(new RequestError('the stream ended', { code: 'no_answer', status: 0 }));
    } catch (error) {
      if (isOver()) return;
      if (!(error instanceof BrokenStream)) throw error;
      await pause(new RequestError(error.message, { code: 'no_answer', status: 0, cause: error.cause }));
    }
  }

  async function pause(error: RequestError): Promise<void> {
    const waitMs = backoffMs(++failures, transport.backoff, error.retryAfter);
    tell(transport.log, () => transport.onRetry?.(error, waitMs));
    await transport.pause(waitMs, signal);
  }
}

/** Not a place alone, nor what the server says about the stream itself. */
function isEvent(frame: Frame): frame is Frame & { data: string } {
  return frame.data !== undefined && (frame.event ?? 'message') === 'message';
}

/** What goes wrong with a connection, and not with who takes its events. */
class BrokenStream extends Error {}

/** @param silenceMs how long nothing may come while somebody waits for it */
async function* framesOf(response: Response, silenceMs: number): AsyncGenerator<Frame, void, undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const decoder = new TextDecoder();
  const parser = new FrameParser();
  try {
    for (;;) {
      const { done, value } = await readWithin(reader, silenceMs).catch((cause: unknown) => {
        throw new BrokenStream(`the stream broke off: ${messageOf(cause)}`, { cause });
      });
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    // Not waited for: on a connection that hangs, neither does this end.
    reader.cancel().catch(() => {});
  }
}

async function readWithin(reader: ReadableStreamDefaultReader<Uint8Array>, silenceMs: number) {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => silence.reject(new ClientError('stream_silent', `nothing came for ${silenceMs} ms`)),
    silenceMs,
  );
  try {
    return await Promise.race([reader.read(), silence.promise]);
  } finally {
    clearTimeout(timer);
  }
}
