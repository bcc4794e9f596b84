import { Connection } from './connection.ts';
import type { Lane, Tally } from './lane.ts';
import type { LoadPlan } from './plan.ts';
import { publishRequest } from './request.ts';

/** `POST /publish` on a connection of its own. The request's bytes are free again when its answer has come. */
export async function openHttpLane(plan: LoadPlan, onError: (error: Error) => void): Promise<Lane> {
  const { batch, seed, url } = plan;
  const connection = await Connection.open(url, onError);
  const request = publishRequest(new URL(url).host, batch, seed);
  return {
    send(numbers, onAnswer) {
      request.refill(numbers);
      connection.send(request.bytes, ({ status, body }) => onAnswer(readTally(status, body, batch)));
    },
    close: () => connection.close(),
  };
}

function readTally(status: number, body: Buffer, batch: number): Tally {
  const text = body.toString('latin1');
  if (status !== 200) throw new Error(`${status}: ${text}`);
  const { count, processed, duplicates } = JSON.parse(text) as Record<string, unknown>;
  if (typeof processed !== 'number' || typeof duplicates !== 'number' || count !== batch) {
    throw new Error(`an answer that does not fit its request of ${batch} events: ${text}`);
  }
  if (processed + duplicates !== batch) throw new Error(`not all events were taken: ${text}`);
  return { processed, duplicates };
}
