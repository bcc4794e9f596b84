import { PostgresHarness } from '../support/postgres-harness.ts';
import { useServices } from '../support/services/services.ts';
import { testStore } from './store-contract.ts';

const services = useServices('postgres');

testStore('PostgreSQL', async () => new PostgresHarness(await services.postgres()), services.options);
