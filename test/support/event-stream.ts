import assert from 'node:assert/strict';

/** One event of a stream as it was sent (HTML Standard, section 9.2.6); of one without data it is the place alone. */
export interface Frame {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string | undefined;
}

/** A reader of Server-Sent Events that reads when it is asked to. */
export class EventStream implements AsyncDisposable {
  readonly response: Response;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #abort: AbortController;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #text = '';

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.#reader = response.body!.getReader();
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<EventStream> {
    const abort = new AbortController();
    const response = await fetch(url, { headers, signal: abort.signal });
    assert.equal(response.status, 200, response.status === 200 ? '' : await response.text());
    return new EventStream(response, abort);
  }

  /** The next frame, or undefined at the end. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end !== -1) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return toFrame(block);
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** As many events, places and heartbeats left out. */
  async events<T = { position: number; topic: string; event_id: string }>(count: number): Promise<T[]> {
    const events: T[] = [];
    while (events.length < count) {
      const frame = await this.next();
      assert.ok(frame, `the stream ended after ${events.length} of ${count} events`);
      if (frame.data === undefined) continue;
      assert.equal(frame.event, undefined, frame.data);
      const event = JSON.parse(frame.data) as T & { position: number };
      assert.equal(frame.id, String(event.position));
      events.push(event);
    }
    return events;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#reader.closed.catch(() => {});
  }
}

function toFrame(block: string): Frame {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''));
  }
  return { id: fields.get('id'), event: fields.get('event'), data: fields.get('data') };
}
