import { SekaliError } from '../../errors.ts';
import { holds, type PutCondition } from '../put-condition.ts';
import type { PutDone, SubscriptionDefinition } from '../subscription-store.ts';
import type { Sql } from './sql-pool.ts';
import { SELECT_SUBSCRIPTION, toSubscription } from './subscription-columns.ts';
import { hexOf } from './subscription-values.ts';

/** Another one has to have come and gone between two statements for a second round. */
const ROUNDS_MAX = 10;

/**
 * Puts a definition, in the transaction of the caller. The row is locked as by whoever changes a subscription as a whole
 * (subscription-lock.ts), so that what the condition was held against is what is written over. Where there is none to lock, the index of names
 * decides who makes it; who comes second looks at what the other one has made.
 *
 * @returns undefined when the condition does not hold
 * @throws SekaliError `overloaded` when it is made and removed by others all the time
 */
export async function putDefinition(
  sql: Sql,
  name: string,
  given: { definition: SubscriptionDefinition; startAfter: number; condition: PutCondition },
): Promise<PutDone | undefined> {
  const definition = JSON.stringify(given.definition);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const [there] = await sql(
      'SELECT subscription_id, version FROM sekali.subscriptions WHERE name = $1 FOR NO KEY UPDATE',
      [name],
    );
    if (!holds(given.condition, there && hexOf(there[1]!))) return undefined;
    const [put] =
      there === undefined
        ? await sql(
            `INSERT INTO sekali.subscriptions (name, definition, cursor) VALUES ($1, $2, $3)
               ON CONFLICT (name) DO NOTHING RETURNING subscription_id`,
            [name, definition, given.startAfter],
          )
        : await sql(
            `UPDATE sekali.subscriptions SET definition = $2, version = gen_random_uuid()
               WHERE subscription_id = $1 RETURNING subscription_id`,
            [there[0], definition],
          );
    if (put === undefined) continue;
    const [row] = await sql(`${SELECT_SUBSCRIPTION} WHERE s.subscription_id = $1`, put);
    return { ...toSubscription(row!), created: there === undefined };
  }
  throw new SekaliError('overloaded', 'others make and remove the subscription all the time');
}
