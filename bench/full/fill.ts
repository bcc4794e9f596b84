import { median } from '../median.ts';
import type { LoadedServer, Round, Scenario } from '../scenario.ts';

/** The rate over one stretch of the fill: what the chart over the number of events stored is drawn from. */
export interface RatePoint {
  /** Events stored at the end of the stretch. */
  readonly events: number;
  readonly eventsPerSecond: number;
}

export interface Fill {
  readonly round: Round;
  readonly points: readonly RatePoint[];
}

/** Fills the server in one go, and tells the rate of each stretch (a million events, or a fiftieth of a smaller trial). */
export async function fill(loaded: LoadedServer, scenario: Scenario): Promise<Fill> {
  const stretch = Math.min(1_000_000, scenario.events / 50);
  const points: RatePoint[] = [];
  let last = { mark: 0, seconds: 0 };
  const round = await loaded.measure(
    scenario,
    (next) => {
      const rate = Math.round((next.mark - last.mark) / (next.seconds - last.seconds));
      points.push({ events: next.mark, eventsPerSecond: rate });
      process.stderr.write(`  ${next.mark} events stored: ${rate} events/s\n`);
      last = next;
    },
    stretch,
  );
  return { round, points };
}

/** One stretch takes three seconds of a machine whose speed drifts: ten of them tell more. */
export function lastAgainstFirstTen(points: readonly RatePoint[]): number {
  const rates = points.map(({ eventsPerSecond }) => eventsPerSecond);
  return median(rates.slice(-10)) / median(rates.slice(0, 10));
}

/** The rate of the last stretch against that of the second: the first has the start-up in it. */
export function lastAgainstSecond(points: readonly RatePoint[]): number {
  return (points.at(-1)?.eventsPerSecond ?? Number.NaN) / (points[1]?.eventsPerSecond ?? Number.NaN);
}
