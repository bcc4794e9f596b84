import type { Fetched } from '../../src/deliver/deliveries.ts';
import type { Settled, SubscriptionDefinition } from '../../src/store/subscription-store.ts';

/** What is known of an event of a subscription. `acked`: or given up by a seek, or retired before it was handed out. */
export interface Known {
  readonly topic: string;
  state: 'pending' | 'leased' | 'waiting' | 'dead' | 'acked';
  attempts: number;
  lease: string | undefined;
  dueAtMs: number;
}

/** What a subscription promises, in the fewest words: each event is in one state, and what may happen to it is said here. */
export class SubscriptionModel {
  readonly events = new Map<number, Known>();
  readonly #definition: SubscriptionDefinition;
  nowMs = 1_000_000;

  constructor(definition: SubscriptionDefinition) {
    this.#definition = definition;
  }

  publish(position: number, topic: string): void {
    this.events.set(position, { topic, state: 'pending', attempts: 0, lease: undefined, dueAtMs: 0 });
  }

  /** Why what was handed out must not have been; undefined when it is right. */
  takeHandOut({ events, lease, leaseMs }: Fetched): string | undefined {
    const topics = new Set<string>();
    for (const { event, attempt } of events) {
      const known = this.events.get(event.position);
      if (known === undefined) return `${event.position} does not match`;
      if (!this.#isReady(event.position, known)) return `${event.position} is ${known.state}, and not due`;
      if (attempt !== known.attempts + 1) return `attempt ${attempt} after ${known.attempts}`;
      if (this.#definition.ordered && topics.has(known.topic)) return `${known.topic} twice`;
      topics.add(known.topic);
    }
    for (const { event } of events) {
      const known = this.events.get(event.position)!;
      Object.assign(known, { state: 'leased', lease, dueAtMs: this.nowMs + leaseMs });
      known.attempts++;
    }
    return undefined;
  }

  /** What may be handed out now. */
  ready(): number[] {
    const room = this.#definition.inFlightMax - this.count('leased') - this.count('waiting');
    return [...this.events]
      .filter(
        ([position, known]) => (known.state !== 'pending' || room > 0) && this.#isReady(position, known),
      )
      .map(([position]) => position);
  }

  count(state: Known['state']): number {
    return [...this.events.values()].filter((known) => known.state === state).length;
  }

  /** What ending this lease must be answered; when it counts, the event is changed. */
  settle(position: number, lease: string, change: (known: Known) => void): Settled {
    const known = this.events.get(position);
    if (known?.state !== 'leased' || known.lease !== lease) return 'lease_stale';
    if (known.dueAtMs <= this.nowMs) return 'lease_expired';
    change(known);
    return 'done';
  }

  isSpent({ attempts }: Known): boolean {
    return this.#definition.attemptsMax > 0 && attempts >= this.#definition.attemptsMax;
  }

  seek(cursor: number): void {
    for (const [position, known] of this.events) {
      if (position > cursor) Object.assign(known, { state: 'pending', attempts: 0 });
      else if (known.state !== 'dead') known.state = 'acked';
    }
  }

  /** Outstanding and due, whether or not it may be handed out once more. */
  isDue(position: number): boolean {
    const { state, dueAtMs, topic } = this.events.get(position)!;
    if (state !== 'leased' && state !== 'waiting') return false;
    return dueAtMs <= this.nowMs && !this.#isBehind(position, topic);
  }

  #isReady(position: number, known: Known): boolean {
    if (known.state === 'pending') return !this.#isBehind(position, known.topic);
    return this.isDue(position) && !this.isSpent(known);
  }

  #isBehind(position: number, topic: string): boolean {
    if (!this.#definition.ordered) return false;
    return [...this.events].some(
      ([at, { topic: other, state }]) =>
        at < position && other === topic && (state === 'leased' || state === 'waiting'),
    );
  }
}
