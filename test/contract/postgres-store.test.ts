import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SekaliError } from '../../src/errors.ts';
import { connect } from '../../src/store/postgres/connection.ts';
import { makeEvents } from '../support/make-events.ts';
import { PostgresHarness } from '../support/postgres-harness.ts';
import { useServices } from '../support/services/services.ts';
import { until } from '../support/until.ts';
import { toGroup } from './store/case.ts';
import { testStore } from './store-contract.ts';

const services = useServices('postgres');

testStore('PostgreSQL', async () => new PostgresHarness(await services.postgres()), services.options);

test(
  'a store that finds other secrets behind a new connection takes nothing: its keys would mean nothing there',
  services.options,
  async () => {
    await using harness = new PostgresHarness(await services.postgres());
    await using other = new PostgresHarness(await services.postgres());
    const store = await harness.openStore();
    const group = () => toGroup(store, { events: makeEvents(3) });
    await store.append(group());
    await harness.cutConnections();
    await copySecrets(await other.openStore().then(() => other.databaseUrl), harness.databaseUrl);
    // The first call may be the one that finds the connection broken.
    const refused = await until('the refusal', () =>
      store.append(group()).then(
        () => assert.fail('it is taken'),
        (error: Error) => /another one: start again/.test(error.message) && error,
      ),
    );
    assert.equal((refused as SekaliError).code, 'store_unavailable');
  },
);

/** As an import does, into a database from which the servers were cut off. */
async function copySecrets(from: string, to: string): Promise<void> {
  const [source, target] = [await connect(from), await connect(to)];
  const { rows } = await source.query('SELECT name, value FROM sekali.meta');
  for (const { name, value } of rows)
    await target.query({ text: 'UPDATE sekali.meta SET value = $2 WHERE name = $1', values: [name, value] });
  await Promise.all([source.end(), target.end()]);
}
