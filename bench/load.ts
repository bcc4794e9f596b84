/**
 * The load generator, in a process of its own: `node bench/load.ts PLAN`, the plan as JSON (LoadPlan). Prints JSON lines:
 * marks on the way, if asked for, and the result.
 */
import { EVENT_BYTES } from './load/event-text.ts';
import type { LoadMark, LoadPlan, LoadResult } from './load/plan.ts';
import { protocolOf } from './load/protocols.ts';
import { Publisher } from './load/publisher.ts';

const plan = JSON.parse(process.argv[2] ?? '{}') as LoadPlan;

let startedAt = 0;
const elapsed = () => Math.round(performance.now() - startedAt) / 1000;
const print = (line: LoadMark | LoadResult) => process.stdout.write(`${JSON.stringify(line)}\n`);

const publisher = new Publisher(plan, (mark) => print({ mark, seconds: elapsed() }));
await publisher.open(await protocolOf(plan.url));
const cpuBefore = process.cpuUsage();
startedAt = performance.now();
if (plan.rate === undefined) await publisher.runAtFullRate();
else await publisher.runAt(plan.rate);
const seconds = elapsed();
const cpu = process.cpuUsage(cpuBefore);
publisher.close();

const { processed, duplicates, fresh } = publisher;
if (processed !== fresh) throw new Error(`${fresh} events were new, but ${processed} were stored`);
print({
  events: plan.events,
  seconds,
  processed,
  duplicates,
  bytesPerEvent: EVENT_BYTES,
  ackMs: publisher.latencies.summary(),
  cpuMicrosPerEvent: Math.round((1000 * (cpu.user + cpu.system)) / plan.events) / 1000,
});
