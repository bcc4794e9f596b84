/**
 * The thread that decodes and commits: the HTTP thread never waits for the disk, nor parses.
 *
 * States: `ready` → (a commit fails) → `down` → (opened again, and a write went through) → `ready`.
 * While it is down every request is answered with `store_unavailable`, and opening is tried again, at first after 100 ms,
 * then after twice as long each time up to 5 s. A group whose commit failed is answered so too: whether it is there is
 * unknown until the store is open again, and the publisher's retry is told `stored` or `duplicate`, never both.
 *
 * Groups form by themselves: whatever has arrived while one group is being committed is the next one.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { SekaliError } from '../errors.ts';
import { failpoint } from '../failpoint.ts';
import { SqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import type {
  CommitSettings,
  Failure,
  FromThread,
  ThreadAnswer,
  ThreadRequest,
  ToThread,
} from './commit-messages.ts';
import { commitGroup, type PublishOutcome } from './committer.ts';

/** Body bytes that a group takes in before it is committed; at least one request. Bounds what others wait for it. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;

const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5000;

class CommitThread {
  readonly #port: MessagePort;
  readonly #settings: CommitSettings;
  readonly #waiting: ThreadRequest[] = [];
  #store: Store | undefined;
  #downReason = '';
  #busy = false;
  #closing = false;

  constructor(port: MessagePort, settings: CommitSettings) {
    this.#port = port;
    this.#settings = settings;
  }

  start(): void {
    try {
      this.#store = this.#open();
    } catch (error) {
      this.#post({ kind: 'failed', failure: toFailure(error) });
      return;
    }
    this.#port.on('message', (message: ToThread) => {
      this.#take(message);
      void this.#run();
    });
    this.#post({ kind: 'ready', keys: this.#store.keyStats().keys });
  }

  #open(): Store {
    return SqliteStore.open({ dataDir: this.#settings.dataDir });
  }

  #take(message: ToThread): void {
    if (message.kind === 'publish') this.#waiting.push(...message.requests);
    else if (message.kind === 'find') void this.#find(message);
    else this.#closing = true;
  }

  async #find({ id, topic, eventId }: { id: number; topic: string; eventId: string }): Promise<void> {
    const store = this.#store;
    if (store === undefined) this.#post({ kind: 'found', id, failure: this.#downReason });
    else this.#post({ kind: 'found', id, position: await store.find(topic, eventId) });
  }

  /** Commits until nothing waits. */
  async #run(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#waiting.length > 0) {
      await this.#commit(this.#nextGroup());
      // What came meanwhile joins the next group; the turn lets a `find` in.
      for (let more = receiveMessageOnPort(this.#port); more; more = receiveMessageOnPort(this.#port)) {
        this.#take(more.message as ToThread);
      }
      await nextTurn();
    }
    this.#busy = false;
    if (this.#closing) await this.#close();
  }

  #nextGroup(): ThreadRequest[] {
    let bytes = 0;
    let count = 0;
    for (const request of this.#waiting) {
      bytes += request.body.byteLength;
      if (count > 0 && bytes > GROUP_BYTES_MAX) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #commit(group: readonly ThreadRequest[]): Promise<void> {
    const store = this.#store;
    if (store === undefined) {
      this.#refuse(group);
      return;
    }
    let outcomes: PublishOutcome[];
    try {
      outcomes = await commitGroup(
        store,
        this.#settings.limits,
        group.map((request) => ({
          ...request,
          body: Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength),
        })),
      );
    } catch (error) {
      this.#goDown(store, error);
      this.#refuse(group);
      return;
    }
    failpoint('answer.before');
    this.#post({ kind: 'answers', answers: group.map(({ id }, i) => toAnswer(id, outcomes[i]!)) });
    failpoint('answer.after');
  }

  #refuse(group: readonly ThreadRequest[]): void {
    const failure = new SekaliError('store_unavailable', this.#downReason);
    this.#post({ kind: 'answers', answers: group.map(({ id }) => toAnswer(id, failure)) });
  }

  #goDown(store: Store, error: unknown): void {
    this.#store = undefined;
    this.#downReason = error instanceof Error ? error.message : String(error);
    this.#post({ kind: 'down', reason: this.#downReason });
    void this.#reopen(store);
  }

  async #reopen(broken: Store): Promise<void> {
    await closeQuietly(broken);
    for (let waitMs = RETRY_FIRST_MS; !this.#closing; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
      await sleep(waitMs);
      let store: Store | undefined;
      try {
        store = this.#open();
        await store.append([]); // an empty group writes the counters' page, so a full disk is found here
        this.#store = store;
        this.#post({ kind: 'ready', keys: store.keyStats().keys });
        return;
      } catch (error) {
        if (store) await closeQuietly(store);
        this.#downReason = error instanceof Error ? error.message : String(error);
        this.#post({ kind: 'down', reason: this.#downReason });
      }
    }
  }

  async #close(): Promise<void> {
    if (this.#store) await this.#store.close();
    this.#post({ kind: 'closed' });
    this.#port.close();
  }

  #post(message: FromThread): void {
    this.#port.postMessage(message);
  }
}

async function closeQuietly(store: Store): Promise<void> {
  try {
    await store.close();
  } catch {
    // It is being thrown away because it is broken; why, has been told.
  }
}

/** An answer leaves the thread as its JSON text: printing it is work that the HTTP thread need not do. */
function toAnswer(id: number, outcome: PublishOutcome): ThreadAnswer {
  if (outcome instanceof SekaliError) return { id, failure: toFailure(outcome) };
  return { id, json: JSON.stringify(outcome) };
}

function toFailure(error: unknown): Failure {
  if (error instanceof SekaliError)
    return { code: error.code, detail: error.message, members: error.members };
  return {
    code: 'store_unavailable',
    detail: error instanceof Error ? error.message : String(error),
    members: {},
  };
}

if (parentPort) new CommitThread(parentPort, workerData as CommitSettings).start();
