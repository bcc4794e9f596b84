import type { LatencySummary } from '../load/latencies.ts';
import { cpuSecondsOf } from '../process-figures.ts';
import type { LoadedServer } from '../scenario.ts';
import { LineProcess } from './line-process.ts';
import type { ConsumePlan, ConsumeResult } from './plan.ts';

/** Consumers that share what a subscription has to hand out. */
export interface GroupScenario {
  readonly consumers: number;
  readonly fetchMax: number;
}

export interface GroupRound {
  readonly events: number;
  /** Fetched and acknowledged. */
  readonly eventsPerSecond: number;
  readonly fetchMs: LatencySummary;
  readonly ackMs: LatencySummary;
  readonly serverCpuMicrosPerEvent: number;
  readonly consumerCpuMicrosPerEvent: number;
}

const NAME = 'group';

/** All that a server has, acknowledged once each, or it throws. */
export async function measureGroup(
  { server: { url, pid }, stored }: LoadedServer,
  { consumers, fetchMax }: GroupScenario,
): Promise<GroupRound> {
  await makeSubscription(url, consumers * fetchMax);
  const plan: ConsumePlan = { url, subscription: NAME, consumers, fetchMax, events: stored };
  const cpuBefore = cpuSecondsOf(pid);
  const group = new LineProcess<ConsumeResult>('bench/deliver/consume.ts', plan);
  try {
    const { events, seconds, fetchMs, ackMs, cpuMicrosPerEvent } = await group.next();
    const cpuSeconds = cpuSecondsOf(pid) - cpuBefore;
    await checkNothingLeft(url, stored);
    return {
      events,
      eventsPerSecond: Math.round(events / seconds),
      fetchMs,
      ackMs,
      serverCpuMicrosPerEvent: Math.round((1e8 * cpuSeconds) / events) / 100,
      consumerCpuMicrosPerEvent: cpuMicrosPerEvent,
    };
  } finally {
    await group.stop();
  }
}

/** With room in flight for what all consumers may hold at one time. */
async function makeSubscription(url: string, inFlightMax: number): Promise<void> {
  const answer = await fetch(`${url}/subscriptions/${NAME}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topics: ['>'], max_in_flight: inFlightMax }),
  });
  if (answer.status !== 201) throw new Error(`the subscription was not made: ${await answer.text()}`);
}

/** The consumers say what they were told; this is what the server has kept of it. */
async function checkNothingLeft(url: string, events: number): Promise<void> {
  const answer = await fetch(`${url}/subscriptions/${NAME}`);
  const found = (await answer.json()) as Record<string, unknown>;
  const expected = { cursor: events, leased: 0, waiting: 0, dead: 0 };
  for (const [name, value] of Object.entries(expected)) {
    if (found[name] !== value)
      throw new Error(`${name} is not ${value} in the end: ${JSON.stringify(found)}`);
  }
}
