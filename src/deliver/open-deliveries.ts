import type { StoreReader } from '../store/store-reader.ts';
import type { Deliveries } from './deliveries.ts';
import type { ThreadedSubscriptionsOptions } from './threaded-subscriptions.ts';

export interface DeliveriesSettings extends ThreadedSubscriptionsOptions {
  /** The store is in PostgreSQL; if undefined, in files of the directory. */
  readonly databaseUrl: string | undefined;
}

/**
 * Opens the subscriptions of a store. In files they have a thread of their own; in PostgreSQL they are used from here, and the
 * database may be away for now.
 *
 * @throws SekaliError `schema_newer`, `store_damaged`, `store_unavailable`
 */
export async function openDeliveries(
  { databaseUrl, ...embedded }: DeliveriesSettings,
  reader: StoreReader,
): Promise<Deliveries> {
  if (databaseUrl === undefined) {
    const { ThreadedSubscriptions } = await import('./threaded-subscriptions.ts');
    return await ThreadedSubscriptions.open(embedded);
  }
  const [{ Subscriptions }, { PostgresSubscriptions }] = await Promise.all([
    import('./subscriptions.ts'),
    import('../store/postgres/postgres-subscriptions.ts'),
  ]);
  return new Subscriptions({ store: PostgresSubscriptions.open({ databaseUrl }), reader });
}
