import { createHash } from 'node:crypto';
import type { Entry } from '../queue.ts';

/** An entry of the stream as the server gives it: its place, and its fields as name, value, name, value; no fields: it is gone. */
export type RawEntry = [place: Buffer, fields: Buffer[] | null, attempts?: number];

/** Of an entry that is not one of ours, and names no epoch. */
const EPOCH_NONE = '00000000-0000-0000-0000-000000000000';

/** Entries as the port has them. What another program has put into the stream gets no body, which the codec refuses. */
export function toEntries(raw: readonly RawEntry[]): Entry[] {
  return raw.flatMap(([place, fields, attempts = 1]) =>
    fields === null ? [] : [toEntry(place.toString(), fields, attempts)],
  );
}

function toEntry(place: string, fields: readonly Buffer[], attempts: number): Entry {
  const values = new Map<string, Buffer>();
  for (let i = 0; i + 1 < fields.length; i += 2) values.set(fields[i]!.toString(), fields[i + 1]!);
  const [id, epoch, events] = [values.get('id'), String(values.get('epoch')), String(values.get('events'))];
  // The store counts by them: what it cannot count by, it could not even set aside.
  const isOurs = id?.length === 16 && UUID.test(epoch) && isCount(events);
  return {
    place,
    id: isOurs ? id : createHash('sha256').update(place).digest().subarray(0, 16),
    attempts,
    epoch: isOurs ? epoch : EPOCH_NONE,
    events: isOurs ? Number(events) : 0,
    body: (isOurs && values.get('body')) || Buffer.alloc(0),
  };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The store counts the events of one entry in 32 bits. */
const EVENTS_MAX = 2 ** 31 - 1;

function isCount(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) <= EVENTS_MAX;
}
