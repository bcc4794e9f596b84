import { migrateDatabase } from '../../src/store/postgres/migrate.ts';
import { PostgresSubscriptions } from '../../src/store/postgres/postgres-subscriptions.ts';
import { useServices } from '../support/services/services.ts';
import { testSubscriptions } from './subscriptions-contract.ts';

const services = useServices('postgres');

testSubscriptions(
  'PostgreSQL',
  async () => {
    const databaseUrl = await services.postgres();
    await migrateDatabase(databaseUrl);
    const stores = [PostgresSubscriptions.open({ databaseUrl }), PostgresSubscriptions.open({ databaseUrl })];
    const close = async () => {
      await Promise.all(stores.map((store) => store.close()));
    };
    return {
      store: stores[0]!,
      other: stores[1]!,
      async reopen() {
        await close();
        const store = PostgresSubscriptions.open({ databaseUrl });
        stores.push(store);
        return store;
      },
      [Symbol.asyncDispose]: close,
    };
  },
  services.options,
);
