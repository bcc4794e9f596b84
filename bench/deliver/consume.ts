/**
 * A group of consumers, in a process of their own: `node bench/deliver/consume.ts PLAN`, the plan as JSON (ConsumePlan). Prints a line of
 * JSON at the end (ConsumeResult). Ends with an error when an event is acknowledged twice.
 */
import { Latencies } from '../load/latencies.ts';
import { consume, type Tally } from './consumer.ts';
import type { ConsumePlan, ConsumeResult } from './plan.ts';

const plan = JSON.parse(process.argv[2] ?? '{}') as ConsumePlan;
const startedAt = performance.now();
const cpuBefore = process.cpuUsage();
let seconds = Number.NaN;
let cpu = cpuBefore;
const tally: Tally = {
  acked: 0,
  isAcked: new Uint8Array(plan.events + 1),
  fetchMs: new Latencies(),
  ackMs: new Latencies(),
  onDone() {
    seconds = Math.round(performance.now() - startedAt) / 1000;
    cpu = process.cpuUsage(cpuBefore);
  },
};
const failed = Promise.withResolvers<never>();
const consumers = Array.from({ length: plan.consumers }, () => consume(plan, tally, failed.reject));
// Those who wait while the last event is acknowledged are waited for: they must get nothing more.
await Promise.race([failed.promise, Promise.all(consumers)]);
const result: ConsumeResult = {
  events: tally.acked,
  seconds,
  fetchMs: tally.fetchMs.summary(),
  ackMs: tally.ackMs.summary(),
  cpuMicrosPerEvent: Math.round((1000 * (cpu.user + cpu.system)) / tally.acked) / 1000,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
process.stdin.on('end', () => process.exit()).resume();
