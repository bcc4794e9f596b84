import type { RatePoint } from '../full/fill.ts';
import type { Sample } from './stats.ts';

type StoredAt = Pick<Sample, 'atMs' | 'stored'>;

/** The rate of each stretch of so many events, from nought to `total`. */
export function ratePoints(samples: readonly StoredAt[], total: number, stretch: number): RatePoint[] {
  const ends = Array.from({ length: Math.floor(total / stretch) }, (_, i) => (i + 1) * stretch);
  return ends.map((end) => ({
    events: end,
    eventsPerSecond: rateBetween(samples, end - stretch, end),
  }));
}

/** Events a second from when one number of them was stored until another one was. */
export function rateBetween(samples: readonly StoredAt[], from: number, to: number): number {
  return Math.round((1000 * (to - from)) / (storedAtMs(samples, to) - storedAtMs(samples, from)));
}

/** When so many events were stored: between two samples, as if they came evenly. */
function storedAtMs(samples: readonly StoredAt[], events: number): number {
  const next = samples.findIndex(({ stored }) => stored >= events);
  const after = samples[next];
  if (after === undefined) throw new Error(`${events} events were never stored`);
  const before = samples[next - 1];
  if (before === undefined || after.stored === events) return after.atMs;
  const share = (events - before.stored) / (after.stored - before.stored);
  return before.atMs + share * (after.atMs - before.atMs);
}
