/**
 * A process that appends to a store until a failpoint kills it: `doomed-store.ts DIRECTORY GROUPS`. The server seals after a
 * million keys, this store after a few. It prints a line for each group that was acknowledged, once it was.
 */
import { writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { appendOne } from '../contract/store/case.ts';
import { makeEvents } from './make-events.ts';

export const DOOMED_STORE = fileURLToPath(import.meta.url);

export const TINY_OPTIONS = { hotKeys: 16, mergeFanIn: 2 } as const;
export const GROUP_EVENTS = 10;

/** The events of a group; its last one is also the next group's first. */
export function groupEvents(group: number) {
  return makeEvents(GROUP_EVENTS + 1, '').map((event, i) => {
    const number = group * GROUP_EVENTS + i;
    return { ...event, topic: `topic-${number % 3}`, event_id: `event-${number}`, payload: { number } };
  });
}

if (process.argv[1] === DOOMED_STORE) {
  const [, , dataDir = '', groups = '0'] = process.argv;
  const store = SqliteStore.open({ dataDir, ...TINY_OPTIONS });
  for (let group = 0; group < Number(groups); group++) {
    const receipts = await appendOne(store, ...groupEvents(group));
    // Not through a stream: the line must be out before the next group can kill the process.
    writeSync(1, `${JSON.stringify([group, ...receipts.map(({ position }) => position)])}\n`);
    // What has been sealed is adopted and merged before the next group, so that every point is reached soon.
    for (let turn = 0; turn < 2; turn++) await store.settled();
  }
  await store.close();
}
