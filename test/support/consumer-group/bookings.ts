import { randomInt } from 'node:crypto';
import type { Sekali, WireEvent } from '../../../src/client/index.ts';
import { makeEvent } from '../make-events.ts';
import { until } from '../until.ts';

const BATCH_EVENTS = 100;
/** Of each batch, events that were sent before. */
const REPEATED_EVENTS = 35;
const TOPICS = ['food', 'rent', 'wages'];

/** Events with amounts, published for as long as the group is busy with them; a third of what is sent was sent before. */
export class Bookings {
  readonly sent: WireEvent[] = [];
  readonly #scope: string;
  #isOver = false;

  /** @param scope the first word of their topics */
  constructor(scope: string) {
    this.#scope = scope;
  }

  end(): void {
    this.#isOver = true;
  }

  /**
   * Publishes until `end`, to one server after the other, acknowledged in one way and the other.
   *
   * @param hasRoom whether the group is nearly done with this many
   */
  async publish(clients: readonly Sekali[], hasRoom: (sent: number) => boolean): Promise<void> {
    for (let batch = 0; !this.#isOver; batch++) {
      const repeated = this.sent.length > 0 ? REPEATED_EVENTS : 0;
      const old = Array.from({ length: repeated }, () => this.sent[randomInt(this.sent.length)]!);
      const fresh = Array.from({ length: BATCH_EVENTS - repeated }, (_, i) => this.#make(batch, i));
      this.sent.push(...fresh);
      const ack = batch % 2 === 0 ? 'stored' : 'queued';
      await clients[batch % clients.length]!.publish([...fresh, ...old], { ack });
      await until('the group has done what it has', async () => this.#isOver || hasRoom(this.sent.length));
    }
  }

  #make(batch: number, i: number): WireEvent {
    const topic = `${this.#scope}.${TOPICS[randomInt(TOPICS.length)]!}`;
    return makeEvent({ topic, event_id: `${batch}-${i}`, payload: { amount: randomInt(1, 100_000) } });
  }
}
