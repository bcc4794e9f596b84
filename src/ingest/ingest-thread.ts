/**
 * The thread that decodes and answers: the HTTP thread never parses, and the store's thread never waits for a parser.
 *
 * States: `ready` → (a commit fails) → `down` → (opened again, and a write went through) → `ready`.
 * While it is down every request is answered with `store_unavailable`, and opening is tried again, at first after 100 ms,
 * then after twice as long each time up to 5 s. A group whose commit failed is answered so too: whether it is there is
 * unknown until the store is open again, and the publisher's retry is told `stored` or `duplicate`, never both.
 *
 * Groups form by themselves: whatever has been decoded while one group is being committed is the next one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { SekaliError } from '../errors.ts';
import { failpoint } from '../failpoint.ts';
import { EventPack } from '../store/event-pack.ts';
import { toFailure } from '../store/store-messages.ts';
import { ThreadedStore } from '../store/threaded-store.ts';
import { BatchDecoder } from './decode.ts';
import type { FromThread, IngestSettings, ThreadAnswer, ThreadRequest, ToThread } from './ingest-messages.ts';
import { OpenGroup, type Outcome } from './open-group.ts';

/** Body bytes after which a group takes in no more; at least one request. Bounds what others wait for it. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;

/** Body bytes that are decoded before the thread looks up whether the store is free. */
const TURN_BYTES = 128 * 1024;

/** One group is being filled while another is being committed. */
const SPARES_MAX = 2;

const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5000;

/** A group, and the requests that are in it. */
interface Filling {
  readonly group: OpenGroup;
  readonly ids: number[];
}

class IngestThread {
  readonly #port: MessagePort;
  readonly #settings: IngestSettings;
  #waiting: ThreadRequest[] = [];
  #next = 0;
  #store: ThreadedStore | undefined;
  #decoder: BatchDecoder | undefined;
  #filling: Filling | undefined;
  /** Packs that are in no group: their memory is used again. */
  readonly #spares: EventPack[] = [];
  #downReason = 'starting';
  #committing = false;
  #turnIsDue = false;
  #closing = false;

  constructor(port: MessagePort, settings: IngestSettings) {
    this.#port = port;
    this.#settings = settings;
  }

  async start(): Promise<void> {
    try {
      this.#use(await this.#open());
    } catch (error) {
      this.#post({ kind: 'failed', failure: toFailure(error) });
      return;
    }
    this.#port.on('message', (message: ToThread) => this.#take(message));
  }

  #open(): Promise<ThreadedStore> {
    const { storeThread, storeOptions } = this.#settings;
    return ThreadedStore.open(new URL(storeThread), storeOptions, (message) =>
      this.#post({ kind: 'progress', message }),
    );
  }

  #use(store: ThreadedStore): void {
    this.#decoder = new BatchDecoder(this.#settings.limits, store.secrets);
    this.#store = store;
    this.#post({ kind: 'ready', stats: store.keyStats });
  }

  #take(message: ToThread): void {
    if (message.kind === 'find') void this.#find(message);
    else {
      if (message.kind === 'publish') this.#waiting.push(...message.requests);
      else this.#closing = true;
      this.#turn();
    }
  }

  async #find({ id, topic, eventId }: { id: number; topic: string; eventId: string }): Promise<void> {
    try {
      if (this.#store === undefined) throw new SekaliError('store_unavailable', this.#downReason);
      this.#post({ kind: 'found', id, position: await this.#store.find(topic, eventId) });
    } catch (error) {
      this.#post({ kind: 'found', id, failure: toFailure(error) });
    }
  }

  /** Decodes a little, and commits if the store is free. */
  #turn(): void {
    this.#decodeSome();
    if (this.#filling !== undefined && !this.#committing) void this.#commit(this.#filling);
    if (this.#next < this.#waiting.length && !this.#isFull()) this.#turnLater();
    else if (this.#closing && !this.#committing && this.#filling === undefined) void this.#close();
  }

  #turnLater(): void {
    if (this.#turnIsDue) return;
    this.#turnIsDue = true;
    setImmediate(() => {
      this.#turnIsDue = false;
      this.#turn();
    });
  }

  #isFull(): boolean {
    return (this.#filling?.group.bodyBytes ?? 0) >= GROUP_BYTES_MAX;
  }

  #decodeSome(): void {
    let bytes = 0;
    while (this.#next < this.#waiting.length && bytes < TURN_BYTES && !this.#isFull()) {
      const { id, body, ...request } = this.#waiting[this.#next++]!;
      if (this.#store === undefined || this.#decoder === undefined) {
        this.#refuse([id]);
        continue;
      }
      this.#filling ??= { group: new OpenGroup(this.#decoder, this.#spares.pop()), ids: [] };
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
    const store = this.#store;
    this.#filling = undefined;
    if (store === undefined) {
      this.#refuse(ids);
      return;
    }
    this.#committing = true;
    try {
      const { receipts, events } = await store.append(group);
      group.takeBack(events);
      failpoint('answer.before');
      const outcomes = group.outcomes(receipts);
      const answers = ids.map((id, i) => toAnswer(id, outcomes[i]!));
      this.#post({ kind: 'answers', answers, stats: store.keyStats });
      failpoint('answer.after');
      if (this.#spares.length < SPARES_MAX) this.#spares.push(events);
    } catch (error) {
      this.#goDown(store, error);
      this.#refuse(ids);
    }
    this.#committing = false;
    this.#turn();
  }

  #refuse(ids: readonly number[]): void {
    const failure = toFailure(new SekaliError('store_unavailable', this.#downReason));
    this.#post({ kind: 'answers', answers: ids.map((id) => ({ id, failure })), stats: undefined });
  }

  #goDown(store: ThreadedStore, error: unknown): void {
    this.#store = undefined;
    this.#downReason = error instanceof Error ? error.message : String(error);
    this.#post({ kind: 'down', reason: this.#downReason });
    if (this.#filling !== undefined) {
      this.#refuse(this.#filling.ids);
      this.#filling = undefined;
    }
    void this.#reopen(store);
  }

  async #reopen(broken: ThreadedStore): Promise<void> {
    await broken.close();
    for (let waitMs = RETRY_FIRST_MS; !this.#closing; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
      await sleep(waitMs);
      let store: ThreadedStore | undefined;
      try {
        store = await this.#open();
        // An empty group writes the counters' page, so a full disk is found here.
        await store.append({ events: new EventPack(), batches: [] });
        this.#use(store);
        return;
      } catch (error) {
        if (store) await store.close();
        this.#downReason = error instanceof Error ? error.message : String(error);
        this.#post({ kind: 'down', reason: this.#downReason });
      }
    }
  }

  async #close(): Promise<void> {
    await this.#store?.close();
    this.#post({ kind: 'closed' });
    this.#port.close();
  }

  #post(message: FromThread): void {
    this.#port.postMessage(message);
  }
}

function toAnswer(id: number, outcome: Outcome): ThreadAnswer {
  return typeof outcome === 'string' ? { id, json: outcome } : { id, failure: toFailure(outcome) };
}

if (parentPort) void new IngestThread(parentPort, workerData as IngestSettings).start();
