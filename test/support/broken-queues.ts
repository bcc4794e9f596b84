/**
 * Queues that break one promise each. The contract must find every one of them out: a suite that these pass would prove
 * nothing of the queue that passes it.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Entry, Queue, QueueConsumer, QueueState } from '../../src/queue/queue.ts';
import type { CommitGroup } from '../../src/store/store.ts';
import { CLAIM_MS, type QueueHarness } from '../contract/queue/case.ts';
import type { RedisQueueHarness } from './redis-queue-harness.ts';

export interface BrokenQueue {
  readonly name: string;
  /** A case of the contract that must fail, by a part of its name. */
  readonly foundBy: string;
  readonly breakIt: (harness: RedisQueueHarness) => Partial<QueueHarness>;
}

type Claim = Parameters<QueueConsumer['claim']>[0];

export const BROKEN_QUEUES: readonly BrokenQueue[] = [
  {
    name: 'acknowledges an entry as it hands it out, and so loses those of workers that die',
    foundBy: 'a worker that dies',
    breakIt: consumers((consumer) => new AckOnClaim(consumer)),
  },
  {
    name: 'takes entries over while their worker is at them',
    foundBy: 'not before',
    breakIt: ({ openConsumer }) => ({ openConsumer: () => openConsumer({ claimMs: CLAIM_MS / 20 }) }),
  },
  {
    name: 'says of each attempt that it is the first',
    foundBy: 'counted as a second attempt',
    breakIt: consumers((consumer) => new FirstAttempts(consumer)),
  },
  {
    name: 'hands out the newest first',
    foundBy: 'in their order',
    breakIt: consumers((consumer) => new NewestFirst(consumer)),
  },
  {
    name: 'hands out acknowledged entries again',
    foundBy: 'never handed out again',
    breakIt: consumers((consumer) => new AckForgotten(consumer)),
  },
  {
    name: 'counts only what is not acknowledged yet',
    foundBy: 'never goes back',
    breakIt: queues((queue) => new CounterGoesBack(queue)),
  },
  {
    name: 'has no bound',
    foundBy: 'a full queue refuses',
    breakIt: ({ openQueue }) => ({ openQueue: () => openQueue() }),
  },
  {
    name: 'drops the oldest entry when it is full',
    foundBy: 'a full queue refuses',
    breakIt: (harness) => ({
      openQueue: async (options) =>
        new DropOldest(await harness.openQueue(options), await harness.openConsumer()),
    }),
  },
  {
    name: 'resolves before the server has the entry',
    foundBy: 'there after a kill -9',
    breakIt: queues((queue) => new EarlyResolve(queue)),
  },
  {
    name: 'begins an epoch with each connection',
    foundBy: 'an epoch goes on',
    breakIt: queues((queue) => new RestlessEpoch(queue)),
  },
  {
    name: 'keeps its epoch whatever the server has lost',
    foundBy: 'an epoch ends',
    breakIt: queues((queue) => new StuckEpoch(queue)),
  },
  {
    name: 'does not wait for entries',
    foundBy: 'returns as soon as there is an entry',
    breakIt: consumers((consumer) => new Impatient(consumer)),
  },
  {
    name: 'hears of no signal',
    foundBy: 'ends soon after its signal',
    breakIt: consumers((consumer) => new Deaf(consumer)),
  },
];

function queues(wrap: (queue: Queue) => Queue): BrokenQueue['breakIt'] {
  return ({ openQueue }) => ({ openQueue: async (options) => wrap(await openQueue(options)) });
}

function consumers(wrap: (consumer: QueueConsumer) => QueueConsumer): BrokenQueue['breakIt'] {
  return ({ openConsumer }) => ({ openConsumer: async (options) => wrap(await openConsumer(options)) });
}

/** Another queue, in all but what a subclass changes. */
class PassingQueue implements Queue {
  protected readonly queue: Queue;
  constructor(queue: Queue) {
    this.queue = queue;
  }
  enqueue(group: CommitGroup): Promise<void> {
    return this.queue.enqueue(group);
  }
  state(): Promise<QueueState> {
    return this.queue.state();
  }
  close(): Promise<void> {
    return this.queue.close();
  }
}

class PassingConsumer implements QueueConsumer {
  protected readonly consumer: QueueConsumer;
  constructor(consumer: QueueConsumer) {
    this.consumer = consumer;
  }
  claim(options: Claim): Promise<Entry[]> {
    return this.consumer.claim(options);
  }
  ack(entries: readonly Entry[]): Promise<void> {
    return this.consumer.ack(entries);
  }
  close(): Promise<void> {
    return this.consumer.close();
  }
}

class AckOnClaim extends PassingConsumer {
  override async claim(options: Claim): Promise<Entry[]> {
    const entries = await super.claim(options);
    await super.ack(entries);
    return entries;
  }
}

class FirstAttempts extends PassingConsumer {
  override async claim(options: Claim): Promise<Entry[]> {
    return (await super.claim(options)).map((entry) => ({ ...entry, attempts: 1 }));
  }
}

class NewestFirst extends PassingConsumer {
  override async claim(options: Claim): Promise<Entry[]> {
    return (await super.claim(options)).toReversed();
  }
}

class AckForgotten extends PassingConsumer {
  override async ack(): Promise<void> {}
}

class CounterGoesBack extends PassingQueue {
  override async state(): Promise<QueueState> {
    const state = await super.state();
    return state.entries === 0 ? { ...state, enqueued: 0 } : state;
  }
}

class DropOldest extends PassingQueue {
  readonly #consumer: QueueConsumer;
  constructor(queue: Queue, consumer: QueueConsumer) {
    super(queue);
    this.#consumer = consumer;
  }
  override async enqueue(group: CommitGroup): Promise<void> {
    try {
      await super.enqueue(group);
    } catch {
      const { signal } = new AbortController();
      await this.#consumer.ack(await this.#consumer.claim({ entriesMax: 1, waitMs: 0, signal }));
      await super.enqueue(group);
    }
  }
}

/** Resolves with the first entry that is on its way, and sends the others when that one is there. */
class EarlyResolve extends PassingQueue {
  #sending: Promise<void> = Promise.resolve();
  override async enqueue(group: CommitGroup): Promise<void> {
    this.#sending = this.#sending.then(() => super.enqueue(group)).catch(() => {});
  }
}

class RestlessEpoch extends PassingQueue {
  #before: QueueState | undefined;
  override async state(): Promise<QueueState> {
    const state = await super.state();
    if (isDeepStrictEqual(state, this.#before)) return { ...state, epoch: randomUUID() };
    this.#before = state;
    return state;
  }
}

class StuckEpoch extends PassingQueue {
  #epoch: string | undefined;
  override async state(): Promise<QueueState> {
    const state = await super.state();
    this.#epoch ??= state.epoch;
    return { ...state, epoch: this.#epoch };
  }
}

class Impatient extends PassingConsumer {
  override claim(options: Claim): Promise<Entry[]> {
    return super.claim({ ...options, waitMs: 0 });
  }
}

class Deaf extends PassingConsumer {
  override claim(options: Claim): Promise<Entry[]> {
    // Bounded, for the sake of the test that it must fail.
    const waitMs = Math.min(options.waitMs, 5500);
    return super.claim({ ...options, waitMs, signal: new AbortController().signal });
  }
}
