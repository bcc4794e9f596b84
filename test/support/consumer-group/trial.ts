import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Sekali } from '../../../src/client/index.ts';
import { Bookings } from './bookings.ts';
import type { Books } from './books.ts';
import { checkBooks, readEvents, untilSettled } from './check-books.ts';
import { Group } from './group.ts';

/** The shortest there is: what a killed member held is out of reach so long. */
export const ACK_WAIT_MS = 1000;
/** Events that are published before the group is done with as many. */
const AHEAD_MAX = 300;

export interface Trial {
  /** The servers, any of which will do. */
  readonly urls: readonly string[];
  /** Names the subscription, and is the first word of its topics. */
  readonly scope: string;
  readonly books: Books;
  /** Of members. */
  readonly kills: number;
  /** Happens meanwhile. */
  readonly disturb?: (group: Group) => Promise<void>;
}

/** Publishes to a group while its members are killed; in the end the books have each event once, and none is dead. */
export async function tryGroup(
  t: TestContext,
  { urls, scope, books, kills, disturb = async () => {} }: Trial,
): Promise<void> {
  const beganAtMs = performance.now();
  const options = { ackWaitMs: ACK_WAIT_MS, maxAttempts: 0, concurrency: 4 };
  const job = { subscription: scope, topics: [`${scope}.>`], options, books: books.place };
  const jobs = urls.map((url) => ({ url, ...job }));
  const group = new Group(t, jobs, kills);
  const clients = urls.map((url) => new Sekali({ url, backoff: { firstMs: 20, maxMs: 200 } }));
  const bookings = new Bookings(scope);
  const publishing = bookings.publish(clients, (sent) => sent - group.done.size < AHEAD_MAX);
  try {
    await Promise.race([publishing, Promise.all([group.suffered(), disturb(group)])]);
    bookings.end();
    await publishing;
    await Promise.race([group.failed, untilSettled(clients[0]!, scope)]);
  } finally {
    bookings.end();
    t.diagnostic(`${group.summary} in ${Math.round(performance.now() - beganAtMs)} ms`);
  }
  const events = await readEvents(clients[0]!, scope);
  assert.equal((await clients[0]!.subscriptions.get(scope)).dead, 0);
  assert.equal(events.length, bookings.sent.length, 'the store has each event that was sent once');
  checkBooks(await books.read(), events);
  assert.equal(group.kills, kills);
  assert.ok(group.redeliveries > 0, 'no event was handed out again: the kills have proven nothing');
  assert.ok(group.found > 0, 'no event was found to be booked before: no mark was needed');
}
