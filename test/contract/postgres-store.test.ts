import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SekaliError } from '../../src/errors.ts';
import { connect } from '../../src/store/postgres/connection.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { PostgresHarness } from '../support/postgres-harness.ts';
import { useServices } from '../support/services/services.ts';
import { until } from '../support/until.ts';
import { appendOne, EVERYTHING, toGroup } from './store/case.ts';
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

test(
  'a server that takes over without the newest topic is told of it anew: its events are found by topic',
  services.options,
  async () => {
    await using harness = new PostgresHarness(await services.postgres());
    const store = await harness.openStore();
    const young = makeEvent({ topic: 'young' });
    await appendOne(store, makeEvent(), young);
    await harness.cutConnections();
    await loseTopic(harness.databaseUrl, young.topic);
    // It is this call that connects anew; the first may be the one that finds the connection broken.
    await until('a connection', () =>
      store.find(young.topic, young.event_id).then(
        () => true,
        () => false,
      ),
    );
    const [receipt] = await appendOne(store, young);
    assert.equal(receipt?.verdict, 'stored');
    const { events } = await store.events({ ...EVERYTHING, topic: young.topic });
    assert.deepEqual(
      events.map(({ position }) => position),
      [receipt.position],
    );
    assert.deepEqual(
      (await store.topics({ after: undefined, limit: 10 })).map(({ topic, events }) => [topic, events]),
      [
        ['orders', 1],
        ['young', 1],
      ],
    );
  },
);

/** What a standby lacks that takes over before it has been told of the newest topic. */
async function loseTopic(databaseUrl: string, topic: string): Promise<void> {
  const client = await connect(databaseUrl);
  const { rows } = await client.query({
    text: 'DELETE FROM sekali.topics WHERE topic = $1 RETURNING topic_id',
    values: [topic],
  });
  const lost = `topic_id = ${rows[0].topic_id}`;
  await client.query(`
    DELETE FROM sekali.keys WHERE position IN (SELECT position FROM sekali.events WHERE ${lost});
    DELETE FROM sekali.events WHERE ${lost};
    DELETE FROM sekali.topic_counts WHERE ${lost};
    UPDATE sekali.counters SET unique_processed = unique_processed - 1;`);
  await client.end();
}

/** As an import does, into a database from which the servers were cut off. */
async function copySecrets(from: string, to: string): Promise<void> {
  const [source, target] = [await connect(from), await connect(to)];
  const { rows } = await source.query('SELECT name, value FROM sekali.meta');
  for (const { name, value } of rows)
    await target.query({ text: 'UPDATE sekali.meta SET value = $2 WHERE name = $1', values: [name, value] });
  await Promise.all([source.end(), target.end()]);
}
