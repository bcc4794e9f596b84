import type { Entry } from '../queue/queue.ts';

/**
 * A *bundle* is what goes to the store in one transaction: entries of one epoch, as many as make a group of a good size.
 *
 * Most entries are *fresh*: handed out for the first time, or for the second, as happens to all that a worker held when it
 * was stopped or cut off. What comes back after that is a *suspect*: it may be what ended its workers. A suspect is in a
 * bundle by itself, behind all that is fresh, and the suspects of one claim take turns in being first: at even attempts from
 * the back, at odd ones from the front. So of many entries that came back because of one among them, those behind it
 * get through at one attempt and those ahead of it at the next, long before it is set aside as the one that it is.
 */
export const SUSPECT_FROM_ATTEMPT = 3;

/** Events and bytes after which a bundle takes in no more; at least one entry, for they come whole. */
export interface BundleSize {
  readonly eventsMax: number;
  readonly bytesMax: number;
}

export function isSuspect(entry: Entry): boolean {
  return entry.attempts >= SUSPECT_FROM_ATTEMPT;
}

/** The entries of one claim as bundles, in the order in which they are to be tried. */
export function toBundles(entries: readonly Entry[], size: BundleSize): Entry[][] {
  const suspects = entries.filter(isSuspect);
  const bundles = bundlesOfFresh(
    entries.filter((entry) => !isSuspect(entry)),
    size,
  );
  return [...bundles, ...inTurn(suspects).map((entry) => [entry])];
}

function bundlesOfFresh(entries: readonly Entry[], { eventsMax, bytesMax }: BundleSize): Entry[][] {
  const bundles: Entry[][] = [];
  let events = 0;
  let bytes = 0;
  for (const entry of entries) {
    const open = bundles.at(-1);
    events += entry.events;
    bytes += entry.body.length;
    if (open !== undefined && open[0]!.epoch === entry.epoch && events <= eventsMax && bytes <= bytesMax) {
      open.push(entry);
    } else {
      bundles.push([entry]);
      events = entry.events;
      bytes = entry.body.length;
    }
  }
  return bundles;
}

/** Those that have been tried the least come first. */
function inTurn(suspects: readonly Entry[]): Entry[] {
  const places = new Map(suspects.map((entry, place) => [entry, place]));
  return [...suspects].sort((a, b) => {
    const forwards = places.get(a)! - places.get(b)!;
    return a.attempts - b.attempts || (a.attempts % 2 === 0 ? -forwards : forwards);
  });
}

/** How many entries to claim next, so that they make about one bundle. */
export function nextEntriesMax(now: number, claimed: readonly Entry[], size: BundleSize): number {
  if (claimed.length === 0) return now;
  const events = claimed.reduce((sum, entry) => sum + entry.events, 0);
  const bytes = claimed.reduce((sum, entry) => sum + entry.body.length, 0);
  const fill = Math.max(events / size.eventsMax, bytes / size.bytesMax);
  // Entries without events and bytes, or with a count that is none, are no measure.
  const fitting = fill > 0 ? Math.floor(claimed.length / fill) : ENTRIES_MAX;
  // Growing by steps bounds what a claim brings when small entries are followed by the largest.
  return Math.max(1, Math.min(fitting, now * 2, ENTRIES_MAX));
}

/**
 * Entries in a claim at most. They are small only when little comes in at a time; then this many to a transaction are enough
 * to keep up, and if the largest follow them, it is what bounds the memory they take.
 */
const ENTRIES_MAX = 32;
