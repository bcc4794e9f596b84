import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryReader } from '../../test/support/memory-reader.ts';
import { SekaliError } from '../errors.ts';
import { MemorySubscriptions } from '../store/memory/memory-subscriptions.ts';
import type { EventPage, EventQuery } from '../store/store-reader.ts';
import type { SubscriptionDefinition } from '../store/subscription-store.ts';
import type { Fetched } from './deliveries.ts';
import { Subscriptions } from './subscriptions.ts';

const DEFINITION: SubscriptionDefinition = {
  topics: ['a.*'],
  ackWaitMs: 1000,
  attemptsMax: 3,
  inFlightMax: 100,
  backoff: { firstMs: 100, maxMs: 1000 },
  ordered: false,
};

async function setUp(definition: Partial<SubscriptionDefinition> = {}, reader = new MemoryReader()) {
  const clock = { ms: 1_000_000, nowMs: () => clock.ms };
  const store = new MemorySubscriptions(clock);
  const subscriptions = new Subscriptions({ store, reader, clock, random: () => 0.5 });
  await subscriptions.put('s', { ...DEFINITION, ...definition }, { kind: 'earliest' });
  const fetch = async (eventsMax = 100) => await subscriptions.fetch('s', { eventsMax });
  const publish = (topic: string, times = 1, payload = '{}') => {
    for (let i = 0; i < times; i++) reader.publish(topic, clock.ms, payload);
  };
  const cursor = async () => (await subscriptions.get('s'))?.cursor;
  return { clock, reader, subscriptions, fetch, publish, cursor };
}

const positionsOf = ({ events }: Fetched) => events.map(({ event }) => event.position);
const refsOf = (fetched: Fetched) =>
  positionsOf(fetched).map((position) => ({ position, lease: fetched.lease }));
const NO_OPTIONS = { delayMs: undefined, reason: undefined };

test('what matches is handed out once, under one lease, with its attempt', async () => {
  const { fetch, publish } = await setUp();
  for (const topic of ['a.1', 'b.1', 'a.2', 'a.1']) publish(topic);
  const first = await fetch(2);
  assert.deepEqual([positionsOf(first), first.leaseMs], [[1, 3], 1000]);
  assert.match(first.lease, /^[0-9a-f]{32}$/);
  assert.ok(first.events.every(({ attempt }) => attempt === 1));
  const second = await fetch();
  assert.deepEqual(positionsOf(second), [4]);
  assert.notEqual(second.lease, first.lease);
  assert.deepEqual(positionsOf(await fetch()), []);
});

test('by a definition that is not there any more nothing is handed out, and that is what is told', async () => {
  const { subscriptions, fetch, publish } = await setUp();
  const { version } = (await subscriptions.get('s'))!;
  await subscriptions.put('s', DEFINITION, { kind: 'earliest' });
  publish('a.1');
  await assert.rejects(subscriptions.fetch('s', { eventsMax: 1, version }), {
    code: 'subscription_changed',
    message: /"s" has another definition by now than the one that its events are fetched by/,
  });
  assert.deepEqual(positionsOf(await fetch()), [1]);
});

test('what is due comes before what is new, and an expired lease counts as an attempt', async () => {
  const { clock, subscriptions, fetch, publish } = await setUp({ attemptsMax: 2 });
  publish('a.1', 2);
  const first = await fetch();
  publish('a.1', 2);
  clock.ms += 1000;
  const second = await fetch(3);
  assert.deepEqual(
    second.events.map(({ event, attempt }) => [event.position, attempt]),
    [
      [1, 2],
      [2, 2],
      [3, 1],
    ],
  );
  assert.deepEqual(await subscriptions.ack('s', refsOf(first)), ['lease_stale', 'lease_stale']);
  clock.ms += 1000;
  assert.deepEqual(positionsOf(await fetch()), [3, 4], 'the others have been tried often enough');
  const dead = await subscriptions.deadLetters('s', { after: 0, limit: 10 });
  assert.deepEqual(
    dead.map(({ dead: { position, reason }, event }) => [position, reason, event?.position]),
    [
      [1, 'the lease ran out: 2 attempts', 1],
      [2, 'the lease ran out: 2 attempts', 2],
    ],
  );
});

test('an empty hand-out tells when to ask again', async () => {
  const { clock, subscriptions, fetch, publish } = await setUp({ inFlightMax: 2 });
  assert.equal((await fetch()).nextDueInMs, undefined, 'only new events can help');
  publish('a.1', 3);
  const fetched = await fetch();
  assert.equal(fetched.nextDueInMs, undefined);
  clock.ms += 400;
  assert.equal((await fetch()).nextDueInMs, 600, 'there is no room for the third');
  await subscriptions.nack('s', refsOf(fetched), { delayMs: 50, reason: undefined });
  assert.equal((await fetch()).nextDueInMs, 50);
});

test('room is made by acknowledging, by dying, and not by giving back', async () => {
  const { clock, subscriptions, fetch, publish } = await setUp({ inFlightMax: 3, attemptsMax: 1 });
  publish('a.1', 9);
  const first = await fetch();
  assert.deepEqual(positionsOf(first), [1, 2, 3]);
  await subscriptions.ack('s', refsOf(first).slice(0, 1));
  assert.deepEqual(positionsOf(await fetch()), [4]);
  clock.ms += 1000;
  assert.deepEqual(positionsOf(await fetch()), [5, 6, 7], 'in the hand-out that buries the others');
  await subscriptions.put('s', { ...DEFINITION, inFlightMax: 1 }, { kind: 'earliest' });
  assert.deepEqual(positionsOf(await fetch()), [], 'more is outstanding than may be by now');
});

test('an event that retention has removed meanwhile is set aside with that reason', async () => {
  const { clock, reader, subscriptions, fetch, publish } = await setUp();
  publish('a.1', 3);
  await fetch(2);
  reader.retire(1);
  clock.ms += 1000;
  assert.deepEqual(positionsOf(await fetch()), [2, 3]);
  const [letter] = await subscriptions.deadLetters('s', { after: 0, limit: 10 });
  assert.deepEqual([letter?.dead.position, letter?.event], [1, undefined]);
  assert.match(letter!.dead.reason, /retention removed/);
});

test('where nothing matches, the cursor gets on by and by, and no call looks at all of it', async () => {
  const { fetch, publish, cursor } = await setUp({}, new MemoryReader(500));
  publish('b.1', 6200);
  publish('a.1');
  assert.equal((await fetch()).nextDueInMs, 0, 'there is more to look at');
  assert.equal(await cursor(), 5000);
  assert.deepEqual(positionsOf(await fetch()), [6201]);
});

test('however little a reader looks at, each call gets further', async () => {
  const { fetch, publish, cursor } = await setUp({}, new MemoryReader(3));
  publish('b.1', 40);
  publish('a.1');
  assert.equal((await fetch()).nextDueInMs, 0);
  assert.equal(await cursor(), 30);
  assert.deepEqual(positionsOf(await fetch()), [41]);
});

test('a cursor that passes over little is not written', async () => {
  const { fetch, publish, cursor } = await setUp();
  publish('b.1', 999);
  await fetch();
  assert.equal(await cursor(), 0);
  publish('b.1');
  await fetch();
  assert.equal(await cursor(), 1000);
});

test('an event that is stored while the log is looked at is not passed over', async () => {
  class BusyReader extends MemoryReader {
    override async events(query: EventQuery): Promise<EventPage> {
      const page = await super.events(query);
      if ((await this.lastPosition()) === 1000) this.publish('a.1');
      return page;
    }
  }
  const { fetch, publish } = await setUp({}, new BusyReader());
  publish('b.1', 1000);
  assert.deepEqual(positionsOf(await fetch()), []);
  assert.deepEqual(positionsOf(await fetch()), [1001]);
});

test('a hand-out of the largest events ends before it is too long, new or handed out again', async () => {
  const { clock, fetch, publish } = await setUp({ inFlightMax: 1000 }, new MemoryReader(10));
  publish('a.1', 60, 'x'.repeat(1024 * 1024));
  for (let n = 0; n < 6; n++) assert.equal((await fetch()).events.length, 10, 'a page is enough');
  clock.ms += 1000;
  publish('a.1');
  assert.equal((await fetch()).events.length, 50, 'one read of those that are due, and nothing new');
});

test('ordered: topics do not wait for each other, events of one topic do', async () => {
  const { subscriptions, fetch, publish } = await setUp({ ordered: true });
  for (const topic of ['a.1', 'a.1', 'a.2', 'a.1', 'a.2', 'a.3']) publish(topic);
  const first = await fetch();
  assert.deepEqual(positionsOf(first), [1, 3, 6]);
  assert.deepEqual(positionsOf(await fetch()), []);
  await subscriptions.ack('s', refsOf(first).slice(0, 1));
  const second = await fetch();
  assert.deepEqual([positionsOf(second), second.events[0]!.attempt], [[2], 1]);
  await subscriptions.nack('s', refsOf(second), { delayMs: 100, reason: undefined });
  assert.deepEqual(positionsOf(await fetch()), [], 'it keeps its place');
  await subscriptions.ack('s', refsOf(first).slice(1));
  assert.deepEqual(positionsOf(await fetch()), [5]);
});

test('given back: after a time that grows, or the one that was asked for, and no more often than may be', async () => {
  const { clock, subscriptions, fetch, publish } = await setUp({ attemptsMax: 4 });
  publish('a.1');
  const waits: (number | undefined)[] = [];
  for (const delayMs of [undefined, undefined, 7, undefined]) {
    await subscriptions.nack('s', refsOf(await fetch()), {
      delayMs,
      reason: 'b\0d \u{1f9c0}'.padEnd(1023, '.') + '\u{1f9c0}',
    });
    const { nextDueInMs } = await fetch();
    waits.push(nextDueInMs);
    clock.ms += nextDueInMs ?? 0;
  }
  assert.deepEqual(waits, [50, 100, 7, undefined]);
  const [letter] = await subscriptions.deadLetters('s', { after: 0, limit: 10 });
  assert.equal(letter?.dead.attempts, 4);
  assert.equal(
    letter.dead.reason,
    `${'b\u{fffd}d \u{1f9c0}'.padEnd(1023, '.')}\u{fffd}`,
    'as any store can keep it',
  );
});

test('a subscription begins, or goes on, where it is told to', async () => {
  const { clock, reader, subscriptions, publish } = await setUp();
  publish('a.1', 2);
  clock.ms += 1000;
  publish('b.1');
  publish('a.1');
  const at = async (name: string) => (await subscriptions.get(name))?.cursor;
  const starts = [
    [{ kind: 'earliest' }, 0, 3],
    [{ kind: 'latest' }, 4, 0],
    [{ kind: 'position', after: 1 }, 1, 2],
    [{ kind: 'time', sinceMs: clock.ms }, 2, 1],
  ] as const;
  for (const [start, cursor, events] of starts) {
    await subscriptions.put(start.kind, DEFINITION, start);
    assert.equal(await at(start.kind), cursor);
    await subscriptions.seek('s', { kind: 'position', after: 3 }, { dryRun: false });
    assert.deepEqual(await subscriptions.seek('s', start, { dryRun: true }), { cursor, events });
    assert.equal(await at('s'), 3, 'only asked');
    assert.deepEqual(await subscriptions.seek('s', start, { dryRun: false }), { cursor, events });
    assert.equal(await at('s'), cursor);
  }
  assert.equal(await reader.lastPosition(), 4);
});

/** Of position 4, where 3 is the last. */
const refusal = (member: string) => (error: unknown) =>
  error instanceof SekaliError &&
  error.code === 'subscription_invalid' &&
  error.message.startsWith(`${member} must be at most the last position, 3, not 4: `) &&
  error.members['member'] === member;

test('a place beyond the last position is refused: what gets the positions up to there would be passed over', async () => {
  const reader = new (class extends MemoryReader {
    /** As in PostgreSQL while an earlier group of events commits. */
    held = Number.POSITIVE_INFINITY;
    override async lastPosition(): Promise<number> {
      return Math.min(this.held, await super.lastPosition());
    }
  })();
  const { subscriptions, publish, cursor } = await setUp({}, reader);
  publish('a.1', 3);
  const beyond = { kind: 'position', after: 4 } as const;
  await assert.rejects(subscriptions.put('t', DEFINITION, beyond), refusal('start.after'));
  assert.equal(await subscriptions.get('t'), undefined);
  for (const dryRun of [true, false])
    await assert.rejects(subscriptions.seek('s', beyond, { dryRun }), refusal('to.after'));
  reader.held = 1;
  await subscriptions.seek('s', { kind: 'position', after: 3 }, { dryRun: false });
  assert.equal(await cursor(), 3, 'there is a receipt of it');
});

test('what nobody has tried comes again at once, and no attempt is burnt', async () => {
  const { subscriptions, fetch, publish } = await setUp({ attemptsMax: 1 });
  publish('a.1');
  for (let n = 0; n < 10; n++) {
    const fetched = await fetch();
    assert.equal(fetched.events[0]?.attempt, 1);
    await subscriptions.nack('s', refsOf(fetched), { ...NO_OPTIONS, as: 'untried' });
  }
  await subscriptions.nack('s', refsOf(await fetch()), { delayMs: 70, reason: undefined, as: 'untried' });
  assert.equal((await fetch()).nextDueInMs, 70);
});

test('what no attempt can help is dead at once', async () => {
  const { subscriptions, fetch, publish } = await setUp({ attemptsMax: 0 });
  publish('a.1');
  await subscriptions.nack('s', refsOf(await fetch()), {
    delayMs: 0,
    reason: 'no such customer',
    as: 'dead',
  });
  const [letter] = await subscriptions.deadLetters('s', { after: 0, limit: 10 });
  assert.deepEqual([letter?.dead.reason, letter?.dead.attempts], ['no such customer', 1]);
});

test('lag counts what is pending, and tells how old the oldest is that is not acknowledged', async () => {
  const { clock, reader, subscriptions, fetch, publish } = await setUp({}, new MemoryReader(1));
  const lag = async () => await subscriptions.lag((await subscriptions.get('s'))!);
  assert.deepEqual(await lag(), { events: 0, ageMs: undefined });
  publish('a.1');
  const first = await fetch();
  clock.ms += 100;
  publish('b.1', 2);
  publish('a.1');
  clock.ms += 10;
  assert.deepEqual(await lag(), { events: 1, ageMs: 110 });
  await subscriptions.ack('s', refsOf(first));
  assert.deepEqual(await lag(), { events: 1, ageMs: 10 });
  reader.retire(4);
  assert.deepEqual(await lag(), { events: 0, ageMs: undefined });
});

test('what is handed out after a subscription was read is in its lag: an event is outstanding or there, never in neither', async () => {
  const { subscriptions, fetch, publish } = await setUp();
  publish('a.1', 3);
  const taken = await fetch(1);
  const read = (await subscriptions.get('s'))!;
  await fetch(2);
  await subscriptions.ack('s', refsOf(taken));
  assert.equal(read.leased, 1);
  assert.equal((await subscriptions.lag(read)).events, 2);
});

test('every call for a name that is not there says so', async () => {
  const { subscriptions } = await setUp();
  const ref = [{ position: 1, lease: '0'.repeat(32) }];
  const calls: Promise<unknown>[] = [
    subscriptions.remove('none'),
    subscriptions.fetch('none', { eventsMax: 1 }),
    subscriptions.ack('none', ref),
    subscriptions.nack('none', ref, NO_OPTIONS),
    subscriptions.extend('none', ref),
    subscriptions.deadLetters('none', { after: 0, limit: 1 }),
    subscriptions.redrive('none', { topic: undefined }),
    subscriptions.discard('none', { positions: [1] }),
    subscriptions.seek('none', { kind: 'earliest' }, { dryRun: true }),
    subscriptions.seek('none', { kind: 'earliest' }, { dryRun: false }),
  ];
  for (const call of calls)
    await assert.rejects(
      call,
      (error) => error instanceof SekaliError && error.code === 'subscription_unknown',
    );
  // What is there and has nothing of the kind is not unknown.
  assert.deepEqual(await subscriptions.ack('s', ref), ['lease_stale']);
  assert.equal(await subscriptions.redrive('s', { topic: undefined }), 0);
});
