import type { Lane, OpenLane, Tally } from './lane.ts';
import { Latencies } from './latencies.ts';
import { EventNumbers } from './numbers.ts';
import type { LoadPlan } from './plan.ts';

/** Sends the events of a plan over its lanes, and counts the answers. */
export class Publisher {
  readonly #plan: LoadPlan;
  readonly #numbers: EventNumbers;
  readonly #lanes: Lane[] = [];
  readonly #onMark: (events: number) => void;
  readonly #done = Promise.withResolvers<void>();
  readonly latencies = new Latencies();
  processed = 0;
  duplicates = 0;
  queued = 0;
  refusals = 0;

  /** @param onMark called each time that `markEvery` more events have been answered */
  constructor(plan: LoadPlan, onMark: (events: number) => void) {
    if (plan.events % plan.batch !== 0) throw new Error('the events must fill whole batches');
    this.#plan = plan;
    this.#numbers = new EventNumbers(plan);
    this.#onMark = onMark;
    this.#done.promise.catch(() => {}); // whoever runs it is told
  }

  /** New events given out; as many must be `processed` in the end, but for those that are `queued`. */
  get fresh(): number {
    return this.#numbers.fresh;
  }

  async open(openLane: OpenLane): Promise<void> {
    const urls = [this.#plan.url, ...(this.#plan.others ?? [])];
    for (let i = 0; i < this.#plan.connections; i++) {
      const plan = { ...this.#plan, url: urls[i % urls.length]! };
      this.#lanes.push(await openLane(plan, (error) => this.#done.reject(error)));
    }
  }

  /** The next batch as soon as a lane is free; resolves when all is answered. */
  async runAtFullRate(): Promise<void> {
    for (const lane of this.#lanes) this.#sendNext(lane);
    await this.#done.promise;
  }

  /**
   * The batches at a fixed rate, whether or not the server keeps up. One that finds no free lane waits for one, and its
   * latency counts from when it was due, not from when it could be sent: else a server that stalls would only be asked
   * less, and the stall be seen by a few batches instead of all that should have come meanwhile.
   *
   * Lanes take turns: the server cuts off a connection that has not sent a request for ten seconds after it was opened.
   *
   * The timer is a millisecond coarse; what a batch waits for it counts as latency too.
   */
  async runAt(eventsPerSecond: number): Promise<void> {
    const intervalMs = (1000 * this.#plan.batch) / eventsPerSecond;
    const free = [...this.#lanes];
    const startedAt = performance.now();
    let dueAt = startedAt;
    const sendDue = () => {
      while (this.#numbers.left > 0 && dueAt <= performance.now()) {
        const lane = free.shift();
        if (lane === undefined) return;
        this.#send(lane, dueAt, () => {
          free.push(lane);
          sendDue();
        });
        dueAt += intervalMs;
      }
    };
    const timer = setInterval(sendDue, 1);
    try {
      await this.#done.promise;
    } finally {
      clearInterval(timer);
    }
  }

  close(): void {
    for (const lane of this.#lanes) lane.close();
  }

  get #answered(): number {
    return this.processed + this.duplicates + this.queued;
  }

  #sendNext(lane: Lane): void {
    if (this.#numbers.left > 0) this.#send(lane, performance.now(), () => this.#sendNext(lane));
  }

  #send(lane: Lane, sinceMs: number, onFree: () => void): void {
    lane.send(this.#numbers, (tally) => {
      this.latencies.add(performance.now() - sinceMs);
      this.#count(tally);
      onFree();
    });
  }

  #count({ processed, duplicates, queued = 0, refusals = 0 }: Tally): void {
    const { events, markEvery } = this.#plan;
    const before = this.#answered;
    this.processed += processed;
    this.duplicates += duplicates;
    this.queued += queued;
    this.refusals += refusals;
    const answered = this.#answered;
    if (markEvery && Math.floor(before / markEvery) < Math.floor(answered / markEvery))
      this.#onMark(answered);
    if (answered === events) this.#done.resolve();
  }
}
