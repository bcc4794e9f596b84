import { grouped } from '../terminal.ts';
import type { Lab } from './lab.ts';
import { inParallel, type LoadShape, makeLoad } from './load.ts';
import type { Step } from './step.ts';

export const moderateLoad = loadStep({
  title: '5,000 events with 20 % duplicates',
  story: 'Requests of 500 events, one after the other.',
  events: 5000,
  duplicates: 1000,
  eventsPerRequest: 500,
  atATime: 1,
});

export const parallelLoad = loadStep({
  title: '20,000 events with 35 % duplicates, 20 requests at a time',
  story: 'Requests of 100 events race each other, and many carry the same event at the same instant.',
  events: 20_000,
  duplicates: 7000,
  eventsPerRequest: 100,
  atATime: 20,
});

interface Load extends LoadShape {
  readonly title: string;
  readonly story: string;
  /** Requests that are under way at one time. */
  readonly atATime: number;
}

function loadStep({ title, story, atATime, ...shape }: Load): Step {
  const stored = shape.events - shape.duplicates;
  return {
    title,
    story,
    expected: {
      'answered stored': stored,
      'answered duplicate': shape.duplicates,
      received: shape.events,
      unique_processed: stored,
      duplicate_dropped: shape.duplicates,
      conflicts: 0,
      'events to read': stored,
      'different event_ids': stored,
    },
    async run(lab) {
      const requests = makeLoad(lab, shape);
      const startedMs = performance.now();
      const { result: answers, counted } = await lab.counting(() =>
        inParallel(requests, atATime, (events) => lab.publish(events)),
      );
      const seconds = (performance.now() - startedMs) / 1000;
      return {
        seen: {
          'answered stored': total(answers.map(({ processed }) => processed)),
          'answered duplicate': total(answers.map(({ duplicates }) => duplicates)),
          ...counted,
          ...(await readingFacts(lab)),
        },
        note: `${seconds.toFixed(2)} s, ${grouped(Math.round(shape.events / seconds))} events a second`,
      };
    },
  };
}

/** What a reader finds in the topic. */
export async function readingFacts(
  lab: Lab,
): Promise<{ 'events to read': number; 'different event_ids': number }> {
  const events = await lab.readBack();
  const ids = new Set(events.map(({ event_id }) => event_id));
  return { 'events to read': events.length, 'different event_ids': ids.size };
}

export function total(counts: readonly (number | null)[]): number {
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}
