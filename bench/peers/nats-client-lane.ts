/** A publisher to NATS JetStream through the official client: what a program in Node gets without writing its own. */
import { jetstream } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';
import { EVENT_BYTES, ID_AT, ID_BYTES, TOPIC_AT, TOPIC_BYTES } from '../load/event-text.ts';
import type { Lane, Tally } from '../load/lane.ts';
import type { LoadPlan } from '../load/plan.ts';
import { EventRequest } from '../load/request.ts';

export async function openNatsClientLane(plan: LoadPlan, onError: (error: Error) => void): Promise<Lane> {
  const connection = await connect({ servers: new URL(plan.url).host });
  // One message by another: nothing is shared between batches, for the client may hold on to what it is given.
  const stream = jetstream(connection, { timeout: 60_000 });
  const shape = { head: '', before: '', after: '', between: '', tail: '' };
  const request = new EventRequest(shape, plan.batch, plan.seed);

  async function publish(at: number): Promise<boolean> {
    const event = request.bytes.subarray(at, at + EVENT_BYTES);
    const topic = event.toString('latin1', TOPIC_AT, TOPIC_AT + TOPIC_BYTES);
    const msgID = `${topic}/${event.toString('latin1', ID_AT, ID_AT + ID_BYTES)}`;
    return (await stream.publish(topic, event, { msgID, headers: headers() })).duplicate;
  }

  async function publishAll(): Promise<Tally> {
    const places = Array.from({ length: plan.batch }, (_, i) => i * EVENT_BYTES);
    const duplicates = (await Promise.all(places.map(publish))).filter(Boolean).length;
    return { processed: plan.batch - duplicates, duplicates };
  }

  return {
    send(numbers, onAnswer) {
      request.refill(numbers);
      publishAll().then(onAnswer).catch(onError);
    },
    close: () => void connection.close(),
  };
}
