import type { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../../../message-of.ts';
import { BlockReader } from '../read-blocks.ts';
import { type FaultList, MEND } from './fault.ts';

/** Holds each conflict that is kept against the first event of its key; of one that is retired there is none any more. */
export function checkConflicts(db: DatabaseSync, lastPosition: number, faults: FaultList): void {
  const blocks = new BlockReader(db);
  const rows = db.prepare(`
    SELECT number, topic_id, event_id, position, payload, topic FROM conflicts LEFT JOIN topics USING (topic_id)`);
  for (const row of rows.iterate()) {
    const what = faultOf(row, blocks, lastPosition);
    if (what === undefined) continue;
    faults.add('conflict', {
      where: `sekali.db, conflict ${Number(row['number'])}`,
      what,
      mend: MEND.restore,
    });
  }
}

function faultOf(
  row: Record<string, unknown>,
  blocks: BlockReader,
  lastPosition: number,
): string | undefined {
  const position = row['position'] as number;
  if (row['topic'] === null) return `it names topic ${Number(row['topic_id'])}, which is not there`;
  if (position < 1 || position > lastPosition) return `its first event is said to be at position ${position}`;
  if (row['payload'] !== null && !isJson(row['payload'] as string)) return 'its payload is no JSON';
  try {
    const block = blocks.at(position);
    const n = block?.indexOf(position) ?? -1;
    if (block === undefined || n < 0) return undefined;
    if (block.topicId(n) === row['topic_id'] && block.eventId(n) === row['event_id']) return undefined;
    return `its key is not that of the event at position ${position}`;
  } catch (error) {
    return `the event at position ${position} cannot be read (${messageOf(error)})`;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
