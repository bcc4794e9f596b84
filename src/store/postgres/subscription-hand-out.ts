import { SekaliError } from '../../errors.ts';
import type { HandOut, Outstanding, Subscription } from '../subscription-store.ts';
import { fromDatabase } from './connection.ts';
import type { Sql } from './sql-pool.ts';
import { msColumn, SELECT_FOR_HAND_OUT, toSubscription } from './subscription-columns.ts';
import { lockSubscription } from './subscription-lock.ts';
import { positionArray, reasonText } from './subscription-values.ts';

const OUTSTANDING = 'd.subscription_id = $1 AND d.died_at IS NULL';

/** In an ordered subscription all others wait behind one of these. */
const HEADS = `
  WITH heads AS MATERIALIZED (
    SELECT min(position) AS position FROM sekali.deliveries d WHERE ${OUTSTANDING} GROUP BY topic)`;

/** One hand-out: a transaction that has the lock of its subscription. Other hand-outs come after it; who settles leases does not wait. */
export class PostgresHandOut implements HandOut {
  /** With a thousand dead ones at most. */
  readonly subscription: Subscription;
  readonly nowMs: number;
  readonly #id: string;
  readonly #sql: Sql;
  #failure: unknown;
  #isOver = false;
  #hasWritten = false;

  private constructor(sql: Sql, id: string, row: readonly (string | null)[]) {
    this.#sql = sql;
    this.#id = id;
    this.nowMs = Number(row[0]);
    this.subscription = toSubscription(row.slice(1));
  }

  /** Locks a subscription, in a transaction that has begun. @returns undefined when there is none of this name */
  static async begin(sql: Sql, name: string): Promise<PostgresHandOut | undefined> {
    const locked = await lockSubscription(sql, name);
    if (locked === undefined) return undefined;
    const { id } = locked;
    const rows = await sql(
      `SELECT ${msColumn('clock_timestamp()')}, found.* FROM (${SELECT_FOR_HAND_OUT} WHERE s.subscription_id = $1) AS found`,
      [id],
    );
    return new PostgresHandOut(sql, id, rows[0]!);
  }

  /** Whether there is anything to commit. */
  get hasWritten(): boolean {
    return this.#hasWritten;
  }

  /**
   * To be called when the work has ended, which may do nothing more.
   *
   * @throws SekaliError what a statement failed with: the transaction can only be undone, whatever the work made of it
   */
  end(): void {
    this.#isOver = true;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Those that somebody settles this moment, whose time was not over when it began, are passed over: nobody is waited for. */
  async due(
    limit: number,
  ): Promise<(Outstanding & { readonly wasLeased: boolean; readonly reason: string | undefined })[]> {
    const { ordered } = this.subscription;
    const rows = await this.#run(
      `${ordered ? HEADS : ''}
       SELECT d.position, d.topic, d.attempts, (d.lease IS NOT NULL)::int, d.reason
         FROM ${ordered ? 'heads h JOIN sekali.deliveries d ON d.position = h.position' : 'sekali.deliveries d'}
         WHERE ${OUTSTANDING} AND d.due_at <= (SELECT clock_timestamp())
         ORDER BY d.due_at, d.position LIMIT $2 FOR UPDATE OF d SKIP LOCKED`,
      [limit],
    );
    return rows.map(([position, topic, attempts, wasLeased, reason]) => ({
      position: Number(position),
      topic: topic!,
      attempts: Number(attempts),
      wasLeased: wasLeased === '1',
      reason: reason ?? undefined,
    }));
  }

  /** Rounded up, so that it is due at that time, unless it is already. */
  async nextDueMs(): Promise<number | undefined> {
    const { ordered } = this.subscription;
    const rows = await this.#run(
      `${ordered ? HEADS : ''}
       SELECT CASE WHEN d.due_at <= clock_timestamp() THEN ${msColumn('d.due_at')}
           ELSE ceil(extract(epoch FROM d.due_at) * 1000)::bigint END
         FROM ${ordered ? 'heads h JOIN sekali.deliveries d ON d.position = h.position' : 'sekali.deliveries d'}
         WHERE ${OUTSTANDING} ORDER BY d.due_at, d.position LIMIT 1`,
    );
    return rows[0] && Number(rows[0][0]);
  }

  async busyTopics(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#run(
      `SELECT topic, min(position) FROM sekali.deliveries d WHERE ${OUTSTANDING} GROUP BY topic`,
    );
    return new Map(rows.map(([topic, position]) => [topic!, Number(position)]));
  }

  async lease(events: readonly Outstanding[], lease: string, leaseMs: number): Promise<void> {
    await this.#write(
      `INSERT INTO sekali.deliveries (subscription_id, position, topic, attempts, lease, due_at)
         SELECT $1, e.position, e.topic, e.attempts, $5::uuid, d.due_at
           FROM unnest($2::bigint[], $3::text[], $4::integer[]) AS e (position, topic, attempts),
             (SELECT clock_timestamp() + $6::float8 * interval '1 millisecond') AS d (due_at)
       ON CONFLICT (subscription_id, position) DO UPDATE SET
         attempts = excluded.attempts, lease = excluded.lease, due_at = excluded.due_at, reason = NULL`,
      [...topicArrays(events), events.map(({ attempts }) => attempts), lease, leaseMs],
    );
  }

  async hold(events: readonly { readonly position: number; readonly topic: string }[]): Promise<void> {
    await this.#write(
      `INSERT INTO sekali.deliveries (subscription_id, position, topic, attempts, due_at)
         SELECT $1, e.position, e.topic, 0, d.due_at
           FROM unnest($2::bigint[], $3::text[]) AS e (position, topic), (SELECT clock_timestamp()) AS d (due_at)`,
      topicArrays(events),
    );
  }

  async bury(events: readonly { readonly position: number; readonly reason: string }[]): Promise<void> {
    const positions = positionArray(events.map(({ position }) => position));
    await this.#write(
      `UPDATE sekali.deliveries d SET lease = NULL, due_at = NULL, died_at = clock_timestamp(), reason = e.reason
         FROM unnest($2::bigint[], $3::text[]) AS e (position, reason)
         WHERE ${OUTSTANDING} AND d.position = ANY ($2::bigint[]) AND d.position = e.position`,
      [positions, events.map(({ reason }) => reasonText(reason))],
    );
  }

  async advance(cursor: number): Promise<void> {
    await this.#write('UPDATE sekali.subscriptions SET cursor = $2 WHERE subscription_id = $1', [cursor]);
  }

  async #write(text: string, values: readonly unknown[]): Promise<void> {
    this.#hasWritten = true;
    await this.#run(text, values);
  }

  /** @param values after $1, which is the id of the subscription */
  async #run(text: string, values: readonly unknown[] = []): Promise<(string | null)[][]> {
    if (this.#isOver) throw new SekaliError('internal', 'a hand-out has ended, and is still at work');
    try {
      return await this.#sql(text, [this.#id, ...values]);
    } catch (error) {
      const { message } = fromDatabase(error);
      this.#failure ??= new SekaliError('store_unavailable', message, { cause: error });
      throw this.#failure;
    }
  }
}

function topicArrays(
  events: readonly { readonly position: number; readonly topic: string }[],
): [positions: Buffer, topics: string[]] {
  return [positionArray(events.map(({ position }) => position)), events.map(({ topic }) => topic)];
}
