import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { LoadMark, LoadPlan, LoadResult } from './load/plan.ts';

/** Runs the load generator in a process of its own. @throws when an answer was not as it should be */
export async function runLoad(
  plan: LoadPlan,
  onMark: (mark: LoadMark) => void = () => {},
): Promise<LoadResult> {
  const child = spawn(process.execPath, ['bench/load.ts', JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let result: LoadResult | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line) as LoadMark | LoadResult;
    if ('mark' in told) onMark(told);
    else result = told;
  }
  const [code] = (await closed) as [number];
  if (result === undefined || code !== 0) throw new Error(`the load generator ended with ${code}`);
  return result;
}

export function eventsPerSecond({ events, seconds }: LoadResult): number {
  return Math.round(events / seconds);
}
