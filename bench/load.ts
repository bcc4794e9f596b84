/**
 * The load generator, in a process of its own: `node bench/load.ts URL EVENTS BATCH CONNECTIONS DUPLICATES`. Makes its
 * events, publishes them over keep-alive connections, one request under way on each, and prints a JSON line.
 */
import { Agent, request } from 'node:http';
import { makeWorkload } from './events.ts';

export interface LoadResult {
  events: number;
  seconds: number;
  processed: number;
  duplicates: number;
  bytesPerEvent: number;
  /** From the first byte of a request to the last of its answer. */
  ackMs: { p50: number; p99: number; max: number };
}

const [url = '', events = '', batch = '', connections = '', duplicates = '0'] = process.argv.slice(2);
const target = new URL('/publish', url);
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });

const workload = makeWorkload(Number(events), Number(batch), Number(duplicates));
const latencies: number[] = [];
const tally = { processed: 0, duplicates: 0 };
let next = 0;

const startedAt = performance.now();
await Promise.all(Array.from({ length: Number(connections) }, publishUntilDone));
const seconds = (performance.now() - startedAt) / 1000;

latencies.sort((left, right) => left - right);
const at = (share: number) =>
  round(latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0);
const result: LoadResult = {
  events: workload.events,
  seconds: round(seconds),
  ...tally,
  bytesPerEvent: workload.bytesPerEvent,
  ackMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
};
process.stdout.write(`${JSON.stringify(result)}\n`);
agent.destroy();

async function publishUntilDone(): Promise<void> {
  for (let body = workload.bodies[next++]; body !== undefined; body = workload.bodies[next++]) {
    const sentAt = performance.now();
    const answer = JSON.parse(await post(body)) as { processed: number; duplicates: number };
    latencies.push(performance.now() - sentAt);
    tally.processed += answer.processed;
    tally.duplicates += answer.duplicates;
  }
}

function post(body: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const outgoing = request(target, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${response.statusCode}: ${text}`));
      });
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
