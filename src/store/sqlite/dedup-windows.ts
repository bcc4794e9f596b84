import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Instant } from '../../instant.ts';
import { type DedupWindow, ruleFor, type TopicRules } from '../../topic-rules.ts';
import type { KeyEntry } from '../dedup/key-index.ts';

/** Ticks after which they are thinned out. */
const TICKS_MAX = 20_000;

/** Thinned out, the ticks of an age lie this part of it apart: a year needs 11,000 of them. */
const AGE_PART = 1000;

/** Time between ticks, at least. */
const TICK_US = 1_000_000;

/** Everything up to this position was stored by this time, in microseconds since 1970. */
interface Tick {
  readonly position: number;
  readonly at: number;
}

/**
 * Which keys may be forgotten, where an operator has set a dedup window for their topic.
 *
 * A *class* is a length of window: class 0 is for ever, each other length gets a number when it is first used, and the
 * keys stored under it carry that number. A *tick* says that everything up to a position was stored by a time; it is noted
 * about once a second, in the transaction of a group. A key is forgotten once a tick at or behind it is older than its
 * window: so it is remembered for at least its window, and what the answer is depends on nothing but the ticks, whatever
 * has been dropped of the index by then.
 */
export class DedupWindows {
  readonly #rules: TopicRules<DedupWindow>;
  readonly #classByWindow = new Map<number, number>();
  readonly #windowByClass = new Map<number, number>();
  #ticks: Tick[];
  readonly #insertClass: StatementSync;
  readonly #insertTick: StatementSync;
  readonly #deleteTick: StatementSync;
  /** Positions below which each class is forgotten, in the group that is open. */
  #forgetBefore: ReadonlyMap<number, number>;
  /** All that was stored before the group that is open was stored by this time. */
  #storedBy: number;
  /** Where the group that is open begins, and its time. */
  #open: Tick = { position: Number.POSITIVE_INFINITY, at: 0 };

  /** @param nowUs what is forgotten until the first group, is forgotten as of this time */
  constructor(db: DatabaseSync, rules: TopicRules<DedupWindow>, nowUs: number) {
    this.#rules = rules;
    this.#insertClass = db.prepare('INSERT INTO windows (class_id, window_s) VALUES (?, ?)');
    this.#insertTick = db.prepare('INSERT OR REPLACE INTO ticks (position, at_us) VALUES (?, ?)');
    this.#deleteTick = db.prepare('DELETE FROM ticks WHERE position = ?');
    for (const row of db.prepare('SELECT class_id, window_s FROM windows').all()) {
      this.#learn(row['class_id'] as number, row['window_s'] as number);
    }
    this.#ticks = db
      // Whole milliseconds, which is what the clock gives: a clock far ahead gives microseconds that no double holds.
      .prepare('SELECT position, at_us / 1000 AS ms FROM ticks ORDER BY position')
      .all()
      .map((row) => ({ position: row['position'] as number, at: (row['ms'] as number) * 1000 }));
    this.#storedBy = this.isUsed ? lastStoredAt(db) : 0;
    this.#forgetBefore = this.#forgettable(Math.max(nowUs, this.#storedBy, this.#lastTick.at));
  }

  /** Whether any key may ever be forgotten. */
  get isUsed(): boolean {
    return this.#windowByClass.size > 0 || this.#rules.length > 0;
  }

  /** Begins a group: notes a tick for what was stored before it. In its transaction. */
  begin(now: Instant, lastPosition: number): void {
    if (!this.isUsed) return;
    const last = this.#lastTick;
    // A group that stored nothing leaves no trace, for the next process could not know of it.
    if (lastPosition > this.#open.position) this.#storedBy = this.#open.at;
    const storedBy = Math.max(this.#storedBy, last.at);
    // A clock that has gone back makes keys last longer, never shorter. How far it had come is noted at once, for what is
    // stored now says an earlier time, and the next process would believe that.
    const clockUs = Number(now);
    const nowUs = Math.max(clockUs, storedBy);
    const isDue = nowUs - last.at >= TICK_US || (clockUs < storedBy && storedBy > last.at);
    if (lastPosition > last.position && isDue) this.#note({ position: lastPosition, at: storedBy });
    this.#open = { position: lastPosition, at: nowUs };
    this.#forgetBefore = this.#forgettable(nowUs);
  }

  /** The class of a topic's keys. In the transaction of a group, for it may have to be noted. */
  classOf(topic: string): number {
    const windowS = ruleFor(this.#rules, topic)?.windowS;
    if (windowS === undefined) return 0;
    const known = this.#classByWindow.get(windowS);
    if (known !== undefined) return known;
    const added = this.#windowByClass.size + 1;
    this.#insertClass.run(added, windowS);
    this.#learn(added, windowS);
    return added;
  }

  /** Whether this entry counts as absent in the group that is open. */
  isForgotten({ windowClass, position }: Readonly<KeyEntry>): boolean {
    return windowClass !== 0 && position < (this.#forgetBefore.get(windowClass) ?? 0);
  }

  /**
   * For each class, the position below which the index may drop its keys: what is forgotten by the time of the last tick, for
   * that is on the disk, and no later group, of whatever process, counts with an earlier time. Not between `begin` and commit.
   */
  droppable(): ReadonlyMap<number, number> {
    return this.#forgettable(this.#lastTick.at);
  }

  get #lastTick(): Tick {
    return this.#ticks.at(-1) ?? { position: 0, at: 0 };
  }

  #forgettable(nowUs: number): ReadonlyMap<number, number> {
    return new Map(
      [...this.#windowByClass].map(([windowClass, windowS]) => [
        windowClass,
        this.#positionAt(nowUs - windowS * 1e6) + 1,
      ]),
    );
  }

  /** The highest position of which a tick says that it was stored at this time or before. */
  #positionAt(at: number): number {
    return this.#ticks[this.#tickAt(at)]?.position ?? -1;
  }

  /** The last tick of this time or before, -1 when there is none. */
  #tickAt(at: number): number {
    const ticks = this.#ticks;
    let low = 0;
    let high = ticks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ticks[middle]!.at <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #note(tick: Tick): void {
    this.#ticks.push(tick);
    this.#insertTick.run(tick.position, tick.at);
    if (this.#ticks.length > TICKS_MAX) this.#thinOut(tick.at);
  }

  /**
   * Takes away ticks that are closer to their neighbours than a thousandth of their age, and those that no window needs:
   * keys are forgotten a thousandth of their window later than they could be. Ticks by which keys are forgotten already
   * stay: what is forgotten does not come back.
   */
  #thinOut(now: number): void {
    const longest = Math.max(0, ...this.#windowByClass.values()) * 1e6;
    const inUse = new Set(
      [...this.#windowByClass.values()].map((windowS) => this.#tickAt(now - windowS * 1e6)),
    );
    const kept: Tick[] = [];
    this.#ticks.forEach((tick, i) => {
      const next = this.#ticks[i + 1];
      const before = kept.at(-1);
      const isNeeded =
        next === undefined ||
        inUse.has(i) ||
        (now - next.at < longest &&
          (before === undefined || next.at - before.at > (now - tick.at) / AGE_PART));
      if (isNeeded) kept.push(tick);
      else this.#deleteTick.run(tick.position);
    });
    this.#ticks = kept;
  }

  #learn(windowClass: number, windowS: number): void {
    this.#classByWindow.set(windowS, windowClass);
    this.#windowByClass.set(windowClass, windowS);
  }
}

/** When the last event was stored, in microseconds since 1970; 0 when there never was one. It outlives the event itself. */
function lastStoredAt(db: DatabaseSync): number {
  const row = db.prepare('SELECT coalesce(max(last_at_us) / 1000, 0) AS ms FROM topics').get();
  return (row?.['ms'] as number) * 1000;
}
