import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../load/connection.ts';
import { Latencies, type LatencySummary } from '../load/latencies.ts';
import { LiveRequest, nowMicros } from './live-events.ts';

export interface LivePlan {
  readonly url: string;
  readonly events: number;
  readonly batch: number;
  readonly everyMs: number;
}

/**
 * Publishes batches at fixed times, whether or not the server keeps up: each says when it was due. They go over one connection, one
 * after the other, so that positions follow numbers; one that is late for it is sent as soon as the answer is there.
 */
export async function publishLive({ url, events, batch, everyMs }: LivePlan): Promise<LatencySummary> {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const connection = await Connection.open(url, failed.reject);
  const request = new LiveRequest(url, batch);
  const latencies = new Latencies();
  const startedMicros = nowMicros();
  try {
    for (let first = 0; first < events; first += batch) {
      const dueMicros = startedMicros + (first / batch) * everyMs * 1000;
      // A timer may fire a little early; nothing is sent before it is due.
      for (let left = dueMicros - nowMicros(); left > 0; left = dueMicros - nowMicros())
        await sleep(left / 1000);
      request.stamp(first, dueMicros);
      const { status, body } = await Promise.race([failed.promise, connection.ask(request.bytes)]);
      if (status !== 200 || !body.includes(`"processed":${batch},`))
        throw new Error(`${status}: ${body.toString()}`);
      latencies.add((nowMicros() - dueMicros) / 1000);
    }
  } finally {
    connection.close();
  }
  return latencies.summary();
}
