import { Connection } from '../load/connection.ts';
import type { Latencies } from '../load/latencies.ts';
import { readHandOut } from './hand-out-parser.ts';
import type { ConsumePlan } from './plan.ts';

/** How long a fetch may wait: so long that one which finds nothing is seen in the figures. */
const WAIT_MS = 1000;

/** What the consumers of a group have done together. */
export interface Tally {
  acked: number;
  /** By position: 1 for an event that was acknowledged. */
  readonly isAcked: Uint8Array;
  readonly fetchMs: Latencies;
  readonly ackMs: Latencies;
  /** Called when every event is acknowledged. */
  onDone(): void;
}

/** Fetches and acknowledges, one after the other on one connection, until every event is acknowledged. @throws when one is so twice */
export async function consume(
  { url, subscription, fetchMax, events }: ConsumePlan,
  tally: Tally,
  onError: (error: Error) => void,
): Promise<void> {
  const connection = await Connection.open(url, onError);
  const ask = async (action: string, body: string) => {
    const answer = await connection.ask(request(url, `/subscriptions/${subscription}/${action}`, body));
    if (answer.status !== 200) throw new Error(`${action}: ${answer.status} ${answer.body.toString()}`);
    return answer.body;
  };

  while (tally.acked < events) {
    const fetchedAt = performance.now();
    const { lease, positions } = readHandOut(await ask('fetch', `{"max":${fetchMax},"wait_ms":${WAIT_MS}}`));
    if (positions.length === 0) continue;
    const ackedAt = performance.now();
    tally.fetchMs.add(ackedAt - fetchedAt);
    const acked = await ask('ack', `{"lease":"${lease}","positions":[${positions.join(',')}]}`);
    tally.ackMs.add(performance.now() - ackedAt);
    const answer = acked.toString();
    if (answer !== `{"counted":${positions.length},"refused":[]}`) throw new Error(`ack: ${answer}`);
    for (const position of positions) note(tally, position);
    if (tally.acked === events) tally.onDone();
  }
  connection.close();
}

function note(tally: Tally, position: number): void {
  if (tally.isAcked[position] !== 0)
    throw new Error(`${position} was acknowledged twice, or was never published`);
  tally.isAcked[position] = 1;
  tally.acked++;
}

function request(url: string, path: string, body: string): Buffer {
  return Buffer.from(
    [
      `POST ${path} HTTP/1.1`,
      `Host: ${new URL(url).host}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      `\r\n${body}`,
    ].join('\r\n'),
  );
}
