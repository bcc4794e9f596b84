import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, SekaliError } from '../errors.ts';
import { failpoint } from '../failpoint.ts';
import { messageOf } from '../message-of.ts';
import type { EventPack } from '../store/event-pack.ts';
import { toFailure } from '../store/store-messages.ts';
import type { BatchDecoder } from './decode.ts';
import type { ThreadAnswer, ThreadRequest } from './ingest-messages.ts';
import { OpenGroup, type Outcome } from './open-group.ts';
import { RETRY_FIRST_MS, RETRY_MAX_MS } from './reach.ts';

/** Body bytes that are decoded before the thread looks up whether the sink is free. */
const TURN_BYTES = 128 * 1024;

/** Body bytes of a group that goes to the store. */
export const STORED_GROUP_BYTES_MAX = 8 * 1024 * 1024;

/** One group is being filled while another is being committed. */
const SPARES_MAX = 2;

/** Where the groups of a lane go: the store, or the queue in front of it. */
export interface Sink {
  readonly decoder: BatchDecoder;
  /** Resolves with what each request of the group is answered with, once that is durable. One at a time. */
  commit(group: OpenGroup): Promise<Outcome[]>;
  /** Asked once after the lane was down: resolves when a group would go through. */
  prove(): Promise<void>;
  close(): Promise<void>;
}

export interface LaneParts {
  /** What a request is refused with while the lane is down. */
  readonly unavailable: Extract<ErrorCode, 'store_unavailable' | 'queue_unavailable'>;
  /** Body bytes after which a group takes in no more; at least one request. Bounds what others wait for it. */
  readonly groupBytesMax: number;
  open(): Promise<Sink>;
  onReady(): void;
  onDown(reason: string): void;
  answer(answers: ThreadAnswer[]): void;
}

/** A group, and the requests that are in it. */
interface Filling {
  readonly group: OpenGroup;
  readonly ids: number[];
}

/**
 * One way from a request to its answer: decoded into the open group, which is committed as a whole.
 *
 * States: `ready` → (a commit fails) → `down` → (opened again, and a write went through) → `ready`.
 * While it is down every request is answered with `unavailable`, and opening is tried again, at first after 100 ms,
 * then after twice as long each time up to 5 s. A group whose commit failed is answered so too: whether it is there is
 * unknown until the sink is open again, and the publisher's retry is told `stored` or `duplicate`, never both. A sink that is
 * full is not down: it says `overloaded`, and has taken nothing.
 *
 * Groups form by themselves: whatever has been decoded while one group is being committed is the next one.
 */
export class Lane {
  readonly #parts: LaneParts;
  #waiting: ThreadRequest[] = [];
  #next = 0;
  #sink: Sink | undefined;
  #filling: Filling | undefined;
  /** Packs that are in no group: their memory is used again. */
  readonly #spares: EventPack[] = [];
  #downReason = 'starting';
  /** Goes back to the first only once a commit went through: a sink that opens, and then fails, is not tried ten times a second. */
  #retryMs = RETRY_FIRST_MS;
  #committing = false;
  #turnIsDue = false;
  readonly #closing = new AbortController();
  readonly #empty = Promise.withResolvers<void>();

  constructor(parts: LaneParts) {
    this.#parts = parts;
  }

  /** The lane takes events from here on. */
  use(sink: Sink): void {
    this.#sink = sink;
    this.#parts.onReady();
  }

  /** @throws SekaliError `unavailable`, with the reason, while it is down */
  check(): void {
    if (this.#sink === undefined) throw new SekaliError(this.#parts.unavailable, this.#downReason);
  }

  /** `turn` is to be called afterwards, once for many. */
  push(request: ThreadRequest): void {
    this.#waiting.push(request);
  }

  /** Decodes a little, and commits if the sink is free. */
  turn(): void {
    this.#decodeSome();
    if (this.#filling !== undefined && !this.#committing) void this.#commit(this.#filling);
    if (this.#next < this.#waiting.length && !this.#isFull()) this.#turnLater();
    else if (this.#closing.signal.aborted && !this.#committing && this.#filling === undefined)
      this.#empty.resolve();
  }

  /** Commits what it has taken, then closes its sink. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.turn();
    await this.#empty.promise;
    await this.#sink?.close();
  }

  #turnLater(): void {
    if (this.#turnIsDue) return;
    this.#turnIsDue = true;
    setImmediate(() => {
      this.#turnIsDue = false;
      this.turn();
    });
  }

  #isFull(): boolean {
    return (this.#filling?.group.bodyBytes ?? 0) >= this.#parts.groupBytesMax;
  }

  #decodeSome(): void {
    let bytes = 0;
    while (this.#next < this.#waiting.length && bytes < TURN_BYTES && !this.#isFull()) {
      const { id, body, ...request } = this.#waiting[this.#next++]!;
      if (this.#sink === undefined) {
        this.#refuse([id]);
        continue;
      }
      this.#filling ??= { group: new OpenGroup(this.#sink.decoder, this.#spares.pop()), ids: [] };
      const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      this.#filling.group.add({ ...request, body: buffer });
      this.#filling.ids.push(id);
      bytes += body.byteLength;
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
  }

  async #commit({ group, ids }: Filling): Promise<void> {
    const sink = this.#sink;
    this.#filling = undefined;
    if (sink === undefined) {
      this.#refuse(ids);
      return;
    }
    this.#committing = true;
    try {
      const outcomes = await sink.commit(group);
      this.#parts.answer(ids.map((id, i) => toAnswer(id, outcomes[i]!)));
      failpoint('answer.after');
      this.#retryMs = RETRY_FIRST_MS;
      this.#keep(group.events);
    } catch (error) {
      if (error instanceof SekaliError && error.code === 'overloaded') {
        this.#refuse(ids, error);
        this.#keep(group.events);
      } else {
        this.#goDown(sink, error);
        this.#refuse(ids);
      }
    }
    this.#committing = false;
    this.turn();
  }

  #keep(pack: EventPack): void {
    if (this.#spares.length < SPARES_MAX) this.#spares.push(pack);
  }

  #refuse(ids: readonly number[], error = new SekaliError(this.#parts.unavailable, this.#downReason)): void {
    const failure = toFailure(error);
    this.#parts.answer(ids.map((id) => ({ id, failure })));
  }

  #goDown(sink: Sink, error: unknown): void {
    this.#sink = undefined;
    this.#noteDown(error);
    if (this.#filling !== undefined) {
      this.#refuse(this.#filling.ids);
      this.#filling = undefined;
    }
    void this.#reopen(sink);
  }

  #noteDown(error: unknown): void {
    this.#downReason = messageOf(error);
    this.#parts.onDown(this.#downReason);
  }

  async #reopen(broken: Sink): Promise<void> {
    await broken.close();
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await sleep(this.#retryMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
      let sink: Sink | undefined;
      try {
        sink = await this.#parts.open();
        await sink.prove();
        this.use(sink);
        return;
      } catch (error) {
        await sink?.close();
        this.#noteDown(error);
      }
    }
  }
}

function toAnswer(id: number, outcome: Outcome): ThreadAnswer {
  return typeof outcome === 'string' ? { id, json: outcome } : { id, failure: toFailure(outcome) };
}
