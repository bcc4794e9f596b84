/**
 * Subscribers, in a process of their own: `node bench/deliver/follow.ts PLAN`, the plan as JSON (FollowPlan). Prints JSON lines
 * (FollowMark). Ends with an error when an event is skipped or repeated, or a stream ends.
 */
import { Latencies } from '../load/latencies.ts';
import { dueMicrosAt, nowMicros, numberAt, stampAt } from './live-events.ts';
import type { FollowMark, FollowPlan } from './plan.ts';
import { subscribe } from './subscriber.ts';

const plan = JSON.parse(process.argv[2] ?? '{}') as FollowPlan;
const latencies = new Latencies();
let opened = 0;
let done = 0;
let received = 0;

const startedAt = performance.now();
const cpuBefore = process.cpuUsage();
for (let i = 0; i < plan.streams; i++) {
  subscribe({
    ...plan,
    onOpen: () => ++opened === plan.streams && print('open'),
    onEvent: plan.isLive ? takeLive : () => received++,
    onDone: () => ++done === plan.streams && print('done'),
    onError: fail,
  });
}
process.stdin.on('data', () => print('asked'));
process.stdin.on('end', () => process.exit());

function takeLive(position: number, bytes: Buffer, at: number): void {
  received++;
  const stamp = stampAt(position, at);
  // Nothing else is stored, and one request is under way after the other: so the numbers follow the positions.
  if (numberAt(bytes, stamp) !== position - 1) throw new Error(`position ${position} has another event`);
  latencies.add((nowMicros() - dueMicrosAt(bytes, stamp)) / 1000);
}

function print(what: FollowMark['what']): void {
  const cpu = process.cpuUsage(cpuBefore);
  const mark: FollowMark = {
    what,
    received,
    seconds: Math.round(performance.now() - startedAt) / 1000,
    latencyMs: what === 'done' ? latencies.summary() : { p50: 0, p99: 0, max: 0 },
    cpuMicrosPerEvent: Math.round((1000 * (cpu.user + cpu.system)) / Math.max(1, received)) / 1000,
  };
  process.stdout.write(`${JSON.stringify(mark)}\n`);
}

function fail(error: Error): void {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
}
