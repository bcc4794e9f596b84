import { setTimeout as sleep } from 'node:timers/promises';
import { RETRY_AFTER_S } from '../../src/http/problem.ts';
import type { Answer } from './answer-parser.ts';
import { Connection } from './connection.ts';
import type { Lane, Tally } from './lane.ts';
import type { LoadPlan } from './plan.ts';
import { publishRequest } from './request.ts';

/**
 * `POST /publish` on a connection of its own. The request's bytes are free again when its answer has come. A batch that a full
 * queue has refused is sent again when the server has said to come back; until then the lane is taken, and its latency runs.
 */
export async function openHttpLane(plan: LoadPlan, onError: (error: Error) => void): Promise<Lane> {
  const { batch, seed, url, ack } = plan;
  const connection = await Connection.open(url, onError);
  const request = publishRequest(new URL(url).host, batch, seed, ack);

  function send(refusals: number, onAnswer: (tally: Tally) => void): void {
    connection.send(request.bytes, (answer) => {
      if (ack === 'queued' && isRefusal(answer)) {
        void sleep(1000 * RETRY_AFTER_S).then(() => send(refusals + 1, onAnswer));
      } else {
        onAnswer({ ...readTally(answer, batch), refusals });
      }
    });
  }

  return {
    send(numbers, onAnswer) {
      request.refill(numbers);
      send(0, onAnswer);
    },
    close: () => connection.close(),
  };
}

/** Nothing of the request was taken. */
function isRefusal({ status, body }: Answer): boolean {
  return status === 503 && body.toString('latin1').includes('"code":"overloaded"');
}

/** `processed` and `duplicates` are null in an answer that came before the store had the events. */
function readTally({ status, body }: Answer, batch: number): Tally {
  const text = body.toString('latin1');
  if (status !== 200) throw new Error(`${status}: ${text}`);
  const { count, processed, duplicates, queued } = JSON.parse(text) as Record<string, number | null>;
  const tally = { processed: processed ?? 0, duplicates: duplicates ?? 0, queued: queued ?? 0 };
  if (count !== batch) {
    throw new Error(`an answer that does not fit its request of ${batch} events: ${text}`);
  }
  if (tally.processed + tally.duplicates + tally.queued !== batch) {
    throw new Error(`not all events were taken: ${text}`);
  }
  return tally;
}
