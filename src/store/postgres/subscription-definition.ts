import { SekaliError } from '../../errors.ts';
import { type DefinitionCondition, holds } from '../definition-condition.ts';
import type { PutDone, SubscriptionDefinition } from '../subscription-store.ts';
import type { Sql } from './sql-pool.ts';
import { SELECT_SUBSCRIPTION, toSubscription } from './subscription-columns.ts';
import { lockSubscription } from './subscription-lock.ts';

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
  given: { definition: SubscriptionDefinition; startAfter: number; condition: DefinitionCondition },
): Promise<PutDone | undefined> {
  const definition = JSON.stringify(given.definition);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const there = await lockSubscription(sql, name);
    if (!holds(given.condition, there?.version)) return undefined;
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
            [there.id, definition],
          );
    if (put === undefined) continue;
    const [row] = await sql(`${SELECT_SUBSCRIPTION} WHERE s.subscription_id = $1`, put);
    return { ...toSubscription(row!), created: there === undefined };
  }
  throw new SekaliError('overloaded', 'others make and remove the subscription all the time');
}
