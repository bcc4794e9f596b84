import assert from 'node:assert/strict';
import type { EventsAnswer, StatsAnswer, TopicsAnswer, WireStoredEvent } from '../../../src/client/index.ts';
import { until } from '../until.ts';
import type { Seen } from './follower.ts';
import type { Instance } from './instance.ts';
import { contentOf, type Known, keyOf } from './known.ts';
import { obeysLaw } from './stats-watch.ts';

/** Waits until nothing is queued any more. */
export async function untilDrained(instance: Instance): Promise<StatsAnswer> {
  return await until('the queue is empty', async () => {
    const stats = await statsOf(instance).catch(() => undefined);
    return stats?.queued === 0 && stats;
  });
}

export async function statsOf(instance: Instance): Promise<StatsAnswer> {
  const answer = await instance.get('/stats');
  assert.equal(answer.status, 200, answer.text);
  return answer.json<StatsAnswer & Record<string, unknown>>();
}

/** All events, page by page. */
export async function readPages(instance: Instance): Promise<WireStoredEvent[]> {
  const events: WireStoredEvent[] = [];
  for (;;) {
    const answer = await instance.get(`/events?after=${events.at(-1)?.position ?? 0}&limit=1000`);
    assert.equal(answer.status, 200, answer.text);
    const page = answer.json<EventsAnswer & Record<string, unknown>>();
    for (const event of page.events) {
      const last = events.at(-1)?.position ?? 0;
      assert.ok(event.position > last, `${event.position} comes after ${last}`);
      events.push(event);
    }
    if (page.next === null) return events;
  }
}

/**
 * Holds the log of an instance against what the publishers know, once all they sent is acknowledged and nothing is queued.
 *
 * @returns the events
 */
export function checkEvents(events: readonly WireStoredEvent[], known: Known, seen: Seen): void {
  const found = new Map(events.map((event) => [keyOf(event), event]));
  assert.equal(found.size, events.length, 'a key is there twice');
  for (const [key, contents] of known.sent) {
    const event = found.get(key);
    assert.ok(event !== undefined, `acknowledged, and not there: ${key}`);
    const content = contentOf(event);
    assert.ok(contents.has(content), `nobody sent ${content} for ${key}`);
    assert.equal(event.position, known.positions.get(key) ?? event.position, `the receipt of ${key}`);
    assert.equal(content, known.first.get(key) ?? content, `the first content of ${key}`);
    assert.ok(
      !known.conflicting.get(key)?.has(content),
      `${content} was a conflict for ${key}, and is there`,
    );
  }
  assert.equal(found.size, known.sent.size, 'there are events that nobody sent');
  for (const event of events) {
    const text = JSON.stringify(event);
    assert.equal(seen.get(event.position) ?? text, text, 'an event has changed');
  }
}

/** @param isExact whether every request was answered once, so that all of them can be counted */
export async function checkTotals(instance: Instance, known: Known, isExact: boolean): Promise<void> {
  const stats = await statsOf(instance);
  assert.ok(obeysLaw(stats), JSON.stringify(stats));
  assert.equal(stats.unique_processed, known.sent.size);
  assert.equal(stats.dead_lettered, 0);
  if (isExact) assert.equal(stats.received, known.acknowledgedEvents);
  assert.ok(stats.received >= known.acknowledgedEvents, `${stats.received} < ${known.acknowledgedEvents}`);
  assert.ok(stats.received <= known.sentEvents, `${stats.received} > ${known.sentEvents}`);
  const { topics } = (await instance.get('/topics')).json<TopicsAnswer & Record<string, unknown>>();
  const sum = (name: 'events' | 'duplicates' | 'conflicts') =>
    topics.reduce((all, topic) => all + topic[name], 0);
  assert.equal(sum('events'), stats.unique_processed);
  assert.equal(sum('conflicts'), stats.conflicts);
}
