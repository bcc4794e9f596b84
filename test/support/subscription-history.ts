import assert from 'node:assert/strict';
import { isSpent, REASON_LENGTH_MAX } from '../../src/deliver/attempts.ts';
import type { GivenBack } from '../../src/deliver/deliveries.ts';
import { Subscriptions } from '../../src/deliver/subscriptions.ts';
import { REASON_RETIRED } from '../../src/deliver/take-due.ts';
import { type Kept, MemorySubscriptions } from '../../src/store/memory/memory-subscriptions.ts';
import type { DeadSelection, LeaseRef, SubscriptionDefinition } from '../../src/store/subscription-store.ts';
import { TopicFilter } from '../../src/topic-filter.ts';
import type { MemoryReader } from './memory-reader.ts';
import { type Known, SubscriptionModel } from './subscription-model.ts';

/** `which`: of the leases that were ever given, the newest first. */
export type Step =
  | { kind: 'publish'; topics: string[] }
  | { kind: 'fetch'; eventsMax: number }
  | { kind: 'ack' | 'extend'; which: number[] }
  | { kind: 'nack'; which: number[]; delayMs: number | undefined; as: GivenBack['as'] }
  | { kind: 'wait'; ms: number }
  | { kind: 'redrive' | 'discard'; which: DeadSelection }
  | { kind: 'seek'; cursor: number; dryRun: boolean }
  | { kind: 'retire'; through: number }
  | { kind: 'restart' };

/** One subscription and its model, to which the same things happen. */
export class History {
  readonly #definition: SubscriptionDefinition;
  readonly #filter: TopicFilter;
  readonly #reader: MemoryReader;
  readonly #model: SubscriptionModel;
  readonly #kept: Kept = new Map();
  readonly #leases: LeaseRef[] = [];
  #subscriptions: Subscriptions;
  #retired = 0;

  constructor(definition: SubscriptionDefinition, reader: MemoryReader) {
    this.#definition = definition;
    this.#filter = new TopicFilter(definition.topics);
    this.#reader = reader;
    this.#model = new SubscriptionModel(definition);
    this.#subscriptions = this.#open();
  }

  async begin(): Promise<void> {
    await this.#subscriptions.put('s', this.#definition, { kind: 'earliest' });
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'publish':
        for (const topic of step.topics) {
          const { position } = this.#reader.publish(topic);
          if (this.#filter.matches(topic)) this.#model.publish(position, topic);
        }
        return;
      case 'fetch':
        await this.#fetch(step.eventsMax);
        return;
      case 'ack':
        await this.#settle(step.which, (refs) => this.#subscriptions.ack('s', refs), ackIt);
        return;
      case 'extend':
        await this.#settle(
          step.which,
          (refs) => this.#subscriptions.extend('s', refs),
          (known) => {
            known.dueAtMs = this.#model.nowMs + this.#definition.ackWaitMs;
          },
        );
        return;
      case 'nack':
        await this.#nack(step);
        return;
      case 'wait':
        this.#model.nowMs += step.ms;
        return;
      case 'redrive':
        await this.#ofDead('redrive', step.which, (known) => {
          Object.assign(known, { state: 'waiting', attempts: 0, dueAtMs: this.#model.nowMs });
        });
        return;
      case 'discard':
        await this.#ofDead('discard', step.which, ackIt);
        return;
      case 'seek': {
        const to = { kind: 'position', after: step.cursor } as const;
        const seeking = this.#subscriptions.seek('s', to, { dryRun: step.dryRun });
        if (step.cursor > (await this.#reader.lastPosition())) {
          await assert.rejects(seeking, { code: 'subscription_invalid' });
          return;
        }
        const { events } = await seeking;
        if (step.dryRun) return;
        this.#model.seek(step.cursor);
        this.#forgetRetired();
        assert.equal(events, this.#model.count('pending'));
        return;
      }
      case 'retire':
        this.#retired = Math.max(this.#retired, Math.min(step.through, await this.#reader.lastPosition()));
        this.#reader.retire(this.#retired);
        this.#forgetRetired();
        return;
      case 'restart':
        this.#subscriptions = this.#open();
        return;
    }
  }

  /** Everything that is kept says the same as the model, event by event. */
  async check(): Promise<void> {
    const { cursor, rows } = this.#kept.get('s')!;
    const found = new Map<number, Known['state']>();
    for (const [position, { lease, diedAtMs }] of rows) {
      assert.ok(position <= cursor, `${position} has a row, and is pending`);
      if (diedAtMs !== undefined) found.set(position, 'dead');
      else found.set(position, lease === undefined ? 'waiting' : 'leased');
    }
    for (const [position, known] of this.#model.events) {
      const state =
        found.get(position) ?? (position > cursor && position > this.#retired ? 'pending' : 'acked');
      assert.equal(state, known.state, `event ${position}`);
      found.delete(position);
    }
    assert.deepEqual(found, new Map(), 'rows of events that do not match');
    const { events } = await this.#subscriptions.lag((await this.#subscriptions.get('s'))!);
    assert.equal(events, this.#model.count('pending'));
  }

  /** In the end each event is acked or dead, however it was before. */
  async drain(): Promise<void> {
    const isOpen = () =>
      ['pending', 'leased', 'waiting'].some((state) => this.#model.count(state as 'pending') > 0);
    for (let rounds = 0; isOpen(); rounds++) {
      assert.ok(rounds < 200, 'it comes to an end');
      this.#model.nowMs += this.#definition.ackWaitMs;
      await this.#fetch(5);
      await this.#settle([0, 1, 2, 3, 4], (refs) => this.#subscriptions.ack('s', refs), ackIt);
      await this.check();
    }
  }

  #open(): Subscriptions {
    const clock = { nowMs: () => this.#model.nowMs };
    const store = new MemorySubscriptions(clock, this.#kept);
    return new Subscriptions({ store, reader: this.#reader, clock, random: () => 0.5 });
  }

  async #fetch(eventsMax: number): Promise<void> {
    for (;;) {
      const ready = this.#model.ready().filter((position) => position > this.#retired);
      const before = this.#outstanding();
      const fetched = await this.#subscriptions.fetch('s', { eventsMax });
      assert.ok(fetched.events.length <= eventsMax);
      assert.equal(this.#model.takeHandOut(fetched), undefined);
      this.#leases.unshift(
        ...fetched.events.map(({ event }) => ({ position: event.position, lease: fetched.lease })),
      );
      this.#followBuried();
      this.#followHeld();
      // Dead letters that were handed back may be beyond the limit; nothing new is then.
      assert.ok(this.#outstanding() <= Math.max(before, this.#definition.inFlightMax));
      if (fetched.events.length > 0) return;
      await this.check();
      if (fetched.nextDueInMs === 0) continue;
      assert.deepEqual(ready, [], 'nothing was handed out that might have been');
      return;
    }
  }

  #outstanding(): number {
    return this.#model.count('leased') + this.#model.count('waiting');
  }

  /** What was set aside had been tried often enough, or is retired. */
  #followBuried(): void {
    for (const [position, { diedAtMs, reason = '' }] of this.#kept.get('s')!.rows) {
      const known = this.#model.events.get(position)!;
      if (diedAtMs === undefined || known.state === 'dead') continue;
      assert.ok(this.#model.isDue(position), `${position} was not due`);
      if (isSpent(known, this.#definition)) assert.match(reason, /the lease ran out: \d+ attempt/);
      else {
        assert.ok(position <= this.#retired, `${position} was buried: ${reason}`);
        assert.equal(reason, REASON_RETIRED);
      }
      known.state = 'dead';
    }
  }

  #followHeld(): void {
    const { cursor } = this.#kept.get('s')!;
    for (const [position, known] of this.#model.events) {
      if (known.state !== 'pending' || position > cursor) continue;
      assert.ok(this.#definition.ordered, `${position} was passed over`);
      Object.assign(known, { state: 'waiting', dueAtMs: this.#model.nowMs });
    }
  }

  async #settle(
    which: readonly number[],
    call: (refs: LeaseRef[]) => Promise<unknown>,
    change: (known: Known) => void,
  ): Promise<void> {
    const refs = which.flatMap((n) => this.#leases[n] ?? []);
    const settled = await call(refs);
    const expected = refs.map(({ position, lease }) => this.#model.settle(position, lease, change));
    assert.deepEqual(settled, expected);
  }

  async #nack({ which, delayMs, as }: Extract<Step, { kind: 'nack' }>): Promise<void> {
    const given = { delayMs, reason: 'x'.repeat(REASON_LENGTH_MAX + 1), as };
    await this.#settle(
      which,
      (refs) => this.#subscriptions.nack('s', refs, given),
      (known) => {
        if (as === 'untried') {
          const attempts = known.attempts - 1;
          Object.assign(known, { state: 'waiting', attempts, dueAtMs: this.#model.nowMs + (delayMs ?? 0) });
        } else if (as === 'dead' || this.#model.isSpent(known)) known.state = 'dead';
        else {
          // Full jitter, of which this is the half: 20, 40, 50, 50…
          const backoff = Math.min(100, 40 * 2 ** (known.attempts - 1)) / 2;
          Object.assign(known, { state: 'waiting', dueAtMs: this.#model.nowMs + (delayMs ?? backoff) });
        }
      },
    );
    for (const { dead } of await this.#subscriptions.deadLetters('s', { after: 0, limit: 1000 }))
      assert.ok(dead.reason.length <= REASON_LENGTH_MAX);
  }

  async #ofDead(
    how: 'redrive' | 'discard',
    which: DeadSelection,
    change: (known: Known) => void,
  ): Promise<void> {
    const meant = [...this.#model.events].filter(
      ([position, { state, topic }]) =>
        state === 'dead' &&
        ('positions' in which ? which.positions.includes(position) : (which.topic ?? topic) === topic),
    );
    assert.equal(await this.#subscriptions[how]('s', which), meant.length);
    for (const [, known] of meant) change(known);
  }

  #forgetRetired(): void {
    for (const [position, known] of this.#model.events)
      if (known.state === 'pending' && position <= this.#retired) ackIt(known);
  }
}

function ackIt(known: Known): void {
  known.state = 'acked';
}
