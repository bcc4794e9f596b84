/**
 * The thread that decodes and answers: the HTTP thread never parses, and the store's thread never waits for a parser.
 *
 * It has a lane for each way that an event can go (lane.ts): `stored`, to the store; and `queued`, where a queue server is in
 * front of it. Each has its own open group and its own state, so one goes on while the other is down. Decoding takes the
 * secrets of the store; they are kept from the first time that it was open.
 *
 * States: `starting`, while servers that are away are waited for → `open` → `closing`. Whatever else is wrong at the start
 * ends the thread.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Queue } from '../queue/queue.ts';
import type { StoreSecrets } from '../store/store.ts';
import { anotherStore, storeMarkOf } from '../store/store-mark.ts';
import { toFailure } from '../store/store-messages.ts';
import { ThreadedStore } from '../store/threaded-store.ts';
import type { FromThread, IngestSettings, LaneName, ToThread } from './ingest-messages.ts';
import { Lane, type LaneParts, type Sink, STORED_GROUP_BYTES_MAX } from './lane.ts';
import { QueueSink } from './queue-sink.ts';
import { reach } from './reach.ts';
import { StoreSink } from './store-sink.ts';

/**
 * An entry of the queue is one group, and a worker has a whole entry in memory, several times: as it came, decoded, as
 * parameters of its statement. Fewer bytes a group also let several workers share what one instance takes in.
 */
const QUEUED_GROUP_BYTES_MAX = 1024 * 1024;

class IngestThread {
  readonly #port: MessagePort;
  readonly #settings: IngestSettings;
  readonly #stored: Lane;
  readonly #queued: Lane | undefined;
  readonly #closing = new AbortController();
  #store: ThreadedStore | undefined;
  #secrets: StoreSecrets | undefined;
  /** One for all the openings of its lane: it comes back by itself, and only who was there before knows what a server has lost. */
  #queue: Queue | undefined;

  constructor(port: MessagePort, settings: IngestSettings) {
    this.#port = port;
    this.#settings = settings;
    this.#stored = new Lane({
      ...this.#laneParts('stored'),
      unavailable: 'store_unavailable',
      groupBytesMax: STORED_GROUP_BYTES_MAX,
      open: () => this.#openStore(),
    });
    if (settings.queue !== undefined) {
      this.#queued = new Lane({
        ...this.#laneParts('queued'),
        unavailable: 'queue_unavailable',
        groupBytesMax: QUEUED_GROUP_BYTES_MAX,
        open: () => this.#openQueue(),
      });
    }
  }

  #laneParts(lane: LaneName): Pick<LaneParts, 'onReady' | 'onDown' | 'answer'> {
    return {
      onReady: () => this.#post({ kind: 'ready', lane, stats: this.#store?.keyStats }),
      onDown: (reason) => this.#post({ kind: 'down', lane, reason }),
      answer: (answers) => this.#post({ kind: 'answers', answers, stats: this.#store?.keyStats }),
    };
  }

  async start(): Promise<void> {
    this.#port.on('message', (message: ToThread) => this.#take(message));
    try {
      // A store of files is there, or is not: waiting mends nothing.
      this.#stored.use(
        this.#settings.isServerStore ? await this.#reach(() => this.#openStore()) : await this.#openStore(),
      );
      this.#queued?.use(await this.#reach(() => this.#openQueue()));
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#post({ kind: 'failed', failure: toFailure(error) });
      return;
    }
    this.#post({ kind: 'opened', storeMark: storeMarkOf(this.#secrets!) });
  }

  #reach(open: () => Promise<Sink>): Promise<Sink> {
    const onWait = (reason: string) => this.#post({ kind: 'waiting', reason });
    return reach(open, { signal: this.#closing.signal, onWait });
  }

  async #openStore(): Promise<Sink> {
    const { storeThread, storeOptions, limits } = this.#settings;
    const store = await ThreadedStore.open(new URL(storeThread), storeOptions, (message) =>
      this.#post({ kind: 'progress', message }),
    );
    this.#secrets ??= store.secrets;
    if (storeMarkOf(this.#secrets) !== storeMarkOf(store.secrets)) {
      await store.close();
      throw anotherStore();
    }
    this.#store = store;
    return new StoreSink(store, limits);
  }

  async #openQueue(): Promise<Sink> {
    const { queue, limits } = this.#settings;
    // Only who has a queue server loads its client.
    const { openQueue } = await import('../queue/open-queue.ts');
    this.#queue ??= await openQueue({
      ...queue!,
      storeMark: storeMarkOf(this.#secrets!),
      onEvent: ({ level, detail }) => this.#post({ kind: 'log', level, message: detail }),
    });
    return new QueueSink(this.#queue, limits, this.#secrets!);
  }

  #take(message: ToThread): void {
    switch (message.kind) {
      case 'find':
        void this.#find(message);
        return;
      case 'publish':
        for (const request of message.requests) this.#lane(request.lane).push(request);
        this.#stored.turn();
        this.#queued?.turn();
        return;
      case 'close':
        void this.#close();
        return;
    }
  }

  #lane(name: LaneName): Lane {
    return name === 'queued' ? this.#queued! : this.#stored;
  }

  async #find({ id, topic, eventId }: { id: number; topic: string; eventId: string }): Promise<void> {
    try {
      this.#stored.check();
      this.#post({ kind: 'found', id, position: await this.#store!.find(topic, eventId) });
    } catch (error) {
      this.#post({ kind: 'found', id, failure: toFailure(error) });
    }
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#stored.close(), this.#queued?.close()]);
    await this.#queue?.close();
    this.#post({ kind: 'closed' });
    this.#port.close();
  }

  #post(message: FromThread): void {
    this.#port.postMessage(message);
  }
}

if (parentPort) void new IngestThread(parentPort, workerData as IngestSettings).start();
