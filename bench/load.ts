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
const startedAtMs = Date.now();
if (plan.rate === undefined) await publisher.runAtFullRate();
else await publisher.runAt(plan.rate);
const seconds = elapsed();
const cpu = process.cpuUsage(cpuBefore);
publisher.close();

const { processed, duplicates, queued, refusals, fresh } = publisher;
const wanted = plan.ack === 'queued' ? { stored: 0, queued: plan.events } : { stored: fresh, queued: 0 };
if (processed !== wanted.stored || queued !== wanted.queued) {
  throw new Error(
    `${fresh} of ${plan.events} events were new; ${processed} were stored, ${queued} queued, ack=${plan.ack}`,
  );
}
print({
  events: plan.events,
  seconds,
  startedAtMs,
  fresh,
  processed,
  duplicates,
  queued,
  refusals,
  bytesPerEvent: EVENT_BYTES,
  ackMs: publisher.latencies.summary(),
  cpuMicrosPerEvent: Math.round((1000 * (cpu.user + cpu.system)) / plan.events) / 1000,
});
