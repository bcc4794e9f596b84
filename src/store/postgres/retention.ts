import { type Retention, ruleFor, type TopicRules } from '../../topic-rules.ts';
import type { SqlClient } from './connection.ts';
import { readHorizon, readPositions } from './horizon.ts';
import type { Bite } from './janitor.ts';
import { findOverdue, type LimitedTopic, retire } from './overdue.ts';
import { readVia } from './read-pool.ts';

/** Topics that one bite looks at, and events that it retires. */
const TOPICS_A_BITE = 1000;
const EVENTS_A_BITE = 10_000;

/** Time after which a sweep begins though nothing seems to have changed, in milliseconds: the clock of the database may be set. */
const SWEEP_EVERY_MS = 60_000;

/** Nothing is over a limit as long as `position` is the last one that was given and settled, until a time of `performance.now()`. */
interface Quiet {
  readonly position: number | undefined;
  readonly untilMs: number;
}

const NOT_QUIET: Quiet = { position: undefined, untilMs: 0 };

/**
 * Retires events that are over the limits of their topic, oldest first, in bites of a bounded size, each one transaction.
 *
 * Retired is what lies below the topic's `retired_before`; readers go by that, at once and exactly. What is retired leaves the
 * disk later: retired-rows.ts. Keys stay where they are.
 *
 * Ages are by the clock of the database, which has also said when each event was stored: one clock for all instances.
 */
export class RetentionSweep {
  readonly #rules: TopicRules<Retention>;
  /** Topics up to this number have been looked at in this sweep. */
  #cursor = 0;
  /** A topic of this sweep had more over its limits than one bite takes. */
  #hasMore = false;
  /** Events that it has retired. */
  #retired = 0;
  /** What this sweep finds, as far as it has come, and what the last whole one has found. */
  #found: Quiet = NOT_QUIET;
  #quiet: Quiet = NOT_QUIET;

  constructor(rules: TopicRules<Retention>) {
    this.#rules = rules;
  }

  /** How many events it has retired. */
  get retired(): number {
    return this.#retired;
  }

  /** Only one instance does it at a time. */
  async bite(client: SqlClient): Promise<Bite> {
    if (this.#rules.length === 0) return 'done';
    if (this.#cursor === 0 && (await this.#isQuiet(client))) return 'done';
    const { topics, last } = await this.#nextTopics(client);
    if (topics.length > 0) await this.#retire(client, topics);
    if (last !== undefined) {
      this.#cursor = last;
      return 'worked';
    }
    const outcome = this.#hasMore ? 'worked' : 'done';
    this.#cursor = 0;
    this.#hasMore = false;
    this.#quiet = this.#found;
    return outcome;
  }

  async #retire(client: SqlClient, topics: readonly LimitedTopic[]): Promise<void> {
    const horizon = await readHorizon(readVia(client));
    const { topics: overdue, nextInS } = await findOverdue(client, topics);
    this.#stayQuiet(nextInS);
    if (overdue.length === 0) return;
    // What is left of them may be over a limit soon: the next sweep finds out.
    this.#found = NOT_QUIET;
    const eventsMax = Math.ceil(EVENTS_A_BITE / overdue.length);
    const retired = await retire(client, overdue, { horizon, eventsMax });
    for (const events of retired) this.#retired += events;
    if (retired.some((events) => events === eventsMax)) this.#hasMore = true;
  }

  /** Before a sweep: whether there is nothing to be found. Else it takes down what the sweep is about. */
  async #isQuiet(client: SqlClient): Promise<boolean> {
    const { last, horizon } = await readPositions(readVia(client));
    // What is not settled may be counted at any time.
    const position = last === horizon ? last : undefined;
    const { position: before, untilMs } = this.#quiet;
    const nowMs = performance.now();
    if (position !== undefined && position === before && nowMs < untilMs) return true;
    this.#found = { position, untilMs: nowMs + SWEEP_EVERY_MS };
    return false;
  }

  #stayQuiet(seconds: number): void {
    const { position, untilMs } = this.#found;
    this.#found = { position, untilMs: Math.min(untilMs, performance.now() + 1000 * seconds) };
  }

  /** The next topics that have limits, and the last one looked at, if there are more after it. */
  async #nextTopics(client: SqlClient): Promise<{ topics: LimitedTopic[]; last: number | undefined }> {
    const { rows } = await client.query({
      text: `SELECT t.topic_id, t.topic, t.retired_before::text, (c.events - t.retired)::text, (c.bytes - t.retired_bytes)::text
               FROM sekali.topics t
               LEFT JOIN LATERAL (
                 SELECT sum(events) AS events, sum(bytes) AS bytes FROM sekali.topic_counts WHERE topic_id = t.topic_id
               ) AS c ON true
               WHERE t.topic_id > $1 ORDER BY t.topic_id LIMIT ${TOPICS_A_BITE}`,
      values: [this.#cursor],
      rowMode: 'array',
    });
    const all = rows as [number, string, string, string | null, string | null][];
    const topics = all.flatMap(([topicId, topic, retiredBefore, events, bytes]): LimitedTopic[] => {
      const limits = ruleFor(this.#rules, topic);
      if (limits === undefined || Number(events) === 0) return [];
      return [
        {
          topicId,
          retiredBefore: Number(retiredBefore),
          events: Number(events),
          bytes: Number(bytes),
          limits,
        },
      ];
    });
    return { topics, last: all.length === TOPICS_A_BITE ? all.at(-1)?.[0] : undefined };
  }
}
