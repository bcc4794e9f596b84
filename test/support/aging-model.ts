import assert from 'node:assert/strict';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { type DedupWindow, type Retention, ruleFor, type TopicRules } from '../../src/topic-rules.ts';
import { EVERYTHING, type Receipt } from '../contract/store/case.ts';

export const SOURCE = 'shop';

/** A window is over at latest this long after its end: ticks are noted once a second. */
const LATE_MS = 1000;

const UNLIMITED = Number.POSITIVE_INFINITY;

export interface Draw {
  readonly topic: string;
  readonly id: string;
  readonly content: number;
  /** Bytes that make the payload larger. */
  readonly pad: number;
}

interface Kept {
  readonly key: string;
  readonly topic: string;
  readonly content: string;
  readonly position: number;
  readonly bytes: number;
  readonly atMs: number;
  /** The latest time of anything stored by then. */
  readonly latestMs: number;
  readonly windowMs: number | undefined;
  isRetired: boolean;
}

/** What retention and dedup windows promise, in the fewest words. */
export class AgingModel {
  rules: { retention: TopicRules<Retention>; dedupWindow: TopicRules<DedupWindow> };
  readonly #events: Kept[] = [];
  readonly #newest = new Map<string, Kept>();
  readonly #counters = {
    received: 0,
    unique_processed: 0,
    duplicate_dropped: 0,
    conflicts: 0,
    rejected: 0,
    dead_lettered: 0,
    consumed: {},
  };
  #latestMs = 0;
  /** The latest that the clock has ever said. */
  #clockMs = 0;

  constructor(rules: AgingModel['rules']) {
    this.rules = rules;
  }

  /** The clock has been seen to say this. */
  see(nowMs: number): void {
    this.#clockMs = Math.max(this.#clockMs, nowMs);
  }

  /** Takes a group as it was answered, and holds each receipt against what it may be. */
  publish(draws: readonly Draw[], receipts: readonly Receipt[], nowMs: number): void {
    this.#latestMs = Math.max(this.#latestMs, nowMs);
    assert.equal(receipts.length, draws.length);
    draws.forEach((draw, i) => this.#take(draw, receipts[i]!, nowMs));
  }

  #take(draw: Draw, { verdict, position, firstSeenAt }: Receipt, nowMs: number): void {
    const key = JSON.stringify([draw.topic, draw.id]);
    const payload = JSON.stringify({ content: draw.content, pad: 'x'.repeat(draw.pad) });
    const known = this.#newest.get(key);
    this.#counters.received++;
    if (verdict === 'stored') {
      assert.ok(known === undefined || this.#mayBeForgotten(known), `${key} was stored twice`);
      assert.equal(position, this.#events.length + 1);
      const windowS = ruleFor(this.rules.dedupWindow, draw.topic)?.windowS;
      const kept: Kept = {
        key,
        topic: draw.topic,
        content: payload,
        position,
        bytes: Buffer.byteLength(draw.id + SOURCE + payload),
        atMs: nowMs,
        latestMs: this.#latestMs,
        windowMs: windowS === undefined ? undefined : windowS * 1000,
        isRetired: false,
      };
      this.#events.push(kept);
      this.#newest.set(key, kept);
      this.#counters.unique_processed++;
      return;
    }
    assert.ok(known !== undefined && this.#mayBeKnown(known, nowMs), `${key} is not known any more`);
    assert.equal(verdict, known.content === payload ? 'duplicate' : 'conflict');
    assert.equal(position, known.position);
    assert.equal(firstSeenAt, known.isRetired ? undefined : known.atMs * 1000);
    this.#counters.duplicate_dropped++;
    if (verdict === 'conflict') this.#counters.conflicts++;
  }

  /** A clock that has gone back makes it uncertain when that was; between the two, either is right. */
  #mayBeForgotten({ windowMs, atMs }: Kept): boolean {
    return windowMs !== undefined && this.#clockMs - atMs >= windowMs;
  }

  #mayBeKnown({ windowMs, latestMs }: Kept, nowMs: number): boolean {
    return windowMs === undefined || nowMs - latestMs <= windowMs + LATE_MS;
  }

  /** Retires what is over the limits: the oldest, as long as it is over one of them. */
  sweep(nowMs: number): void {
    for (const topic of new Set(this.#events.map((event) => event.topic))) {
      const limits = ruleFor(this.rules.retention, topic);
      if (limits === undefined) continue;
      const { ageS = UNLIMITED, bytes = UNLIMITED, count = UNLIMITED } = limits;
      const live = this.#events.filter((event) => event.topic === topic && !event.isRetired);
      let sum = live.reduce((total, event) => total + event.bytes, 0);
      for (const [i, event] of live.entries()) {
        const isOver = live.length - i > count || sum > bytes || event.atMs < nowMs - ageS * 1000;
        if (!isOver) break;
        event.isRetired = true;
        sum -= event.bytes;
      }
    }
  }

  async compare(store: SqliteStore): Promise<void> {
    assert.deepEqual(await store.counters(), this.#counters);
    const { events } = await store.events(EVERYTHING);
    const live = this.#events.filter(({ isRetired }) => !isRetired);
    assert.deepEqual(
      events.map(({ position, topic, event_id, payload }) => [
        position,
        JSON.stringify([topic, event_id]),
        payload,
      ]),
      live.map(({ position, key, content }) => [position, key, content]),
    );
    for (const { position, isRetired } of this.#events) {
      assert.equal((await store.eventAt(position))?.position, isRetired ? undefined : position);
    }
    await this.#compareTopics(store);
    for (const kept of this.#newest.values()) {
      const [topic, id] = JSON.parse(kept.key) as [string, string];
      const found = await store.find(topic, id);
      if (found !== undefined || !this.#mayBeForgotten(kept)) assert.equal(found, kept.position);
    }
  }

  async #compareTopics(store: SqliteStore): Promise<void> {
    const topics = await store.topics({ after: undefined, limit: 10 });
    for (const { topic, events, retired } of topics) {
      const all = this.#events.filter((event) => event.topic === topic);
      assert.deepEqual(
        [topic, events, retired],
        [topic, all.length, all.filter(({ isRetired }) => isRetired).length],
      );
      const page = await store.events({ ...EVERYTHING, topic, order: 'desc' });
      const live = all.filter(({ isRetired }) => !isRetired).map(({ position }) => position);
      assert.deepEqual(
        page.events.map(({ position }) => position),
        live.reverse(),
      );
    }
  }
}
