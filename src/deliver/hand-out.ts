import { randomBytes } from 'node:crypto';
import { PAGE_LENGTH_MAX } from '../store/store-reader.ts';
import type { HandOut } from '../store/subscription-store.ts';
import type { Fetched } from './deliveries.ts';
import type { DeliveryReader } from './delivery-reader.ts';
import { type Scanned, scan } from './scan.ts';
import { takeDue } from './take-due.ts';

/**
 * What matches is handed out at once; a cursor that only passes over what does not is written when it has got so far. Else every
 * commit of other topics would have each waiting subscription commit too; and to pass over these again is cheap.
 */
const PASS_OVER_MAX = 1000;

const NOTHING: Scanned = { events: [], held: [], through: 0, isAtEnd: true };

/**
 * Hands out once: first what is due, then new events as far as there is room. It reads and decides, and writes all of it at the end.
 *
 * Ordered: a topic is busy from the first event of it that is outstanding or handed out here. New events of a busy topic are *held*: they
 * are outstanding too and wait, so that the cursor can go on to other topics and no event is lost behind it.
 */
export async function handOutOnce(
  hand: HandOut,
  reader: Pick<DeliveryReader, 'events' | 'eventsAt' | 'lastPosition'>,
  eventsMax: number,
): Promise<Fetched> {
  const { cursor, ackWaitMs } = hand.subscription;
  const due = await takeDue(hand, reader, eventsMax);
  const room = roomIn(hand, due.dead.length);
  const hasNoMore = room <= 0 || due.again.length >= eventsMax || due.length >= PAGE_LENGTH_MAX;
  const fresh = hasNoMore ? NOTHING : await look(hand, reader, eventsMax - due.again.length, room);

  const events = [...due.again, ...fresh.events.map((event) => ({ event, attempt: 1 }))];
  const nextDueInMs = events.length === 0 ? await askAgainInMs(hand, fresh) : undefined;
  const lease = randomBytes(16).toString('hex');
  if (due.dead.length > 0) await hand.bury(due.dead);
  if (events.length > 0) await hand.lease(events.map(toRow), lease, ackWaitMs);
  if (fresh.held.length > 0) await hand.hold(fresh.held.map(({ position, topic }) => ({ position, topic })));
  if (mustAdvance(fresh, cursor)) await hand.advance(fresh.through);
  return { lease, leaseMs: ackWaitMs, events, nextDueInMs };
}

/** For events that are not outstanding yet; less than none, when the limit was lowered. */
function roomIn({ subscription: { inFlightMax, leased, waiting } }: HandOut, buried: number): number {
  return inFlightMax - leased - waiting + buried;
}

async function look(
  hand: HandOut,
  reader: Pick<DeliveryReader, 'events' | 'lastPosition'>,
  eventsMax: number,
  room: number,
): Promise<Scanned> {
  const { topics, cursor, ordered } = hand.subscription;
  const busy = ordered ? new Set((await hand.busyTopics()).keys()) : undefined;
  return await scan(reader, { topics, after: cursor, eventsMax, room, busy });
}

function toRow({ event, attempt }: Fetched['events'][number]) {
  return { position: event.position, topic: event.topic, attempts: attempt };
}

async function askAgainInMs(hand: HandOut, fresh: Scanned): Promise<number | undefined> {
  if (!fresh.isAtEnd) return 0;
  const nextMs = await hand.nextDueMs();
  return nextMs && Math.max(0, nextMs - hand.nowMs);
}

function mustAdvance({ events, held, through, isAtEnd }: Scanned, cursor: number): boolean {
  if (through <= cursor) return false;
  return events.length > 0 || held.length > 0 || !isAtEnd || through - cursor >= PASS_OVER_MAX;
}
