/** Fault 20: instances of several versions on one database, and the database made and changed under them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client } from 'pg';
import { readPages, statsOf, untilDrained } from '../support/cluster/check-invariants.ts';
import { Cluster } from '../support/cluster/cluster.ts';
import { makeEvents } from '../support/make-events.ts';
import { runCli } from '../support/process.ts';
import { refusedStart } from '../support/refused-start.ts';
import { useServices } from '../support/services/services.ts';

const services = useServices('postgres-server', 'redis-server');

describe('instances on one database', services.options, () => {
  test('make it together, when five of them find it empty', { timeout: 60_000 }, async (t) => {
    const { instances } = await Cluster.start(t, { instances: 5 });
    await Promise.all(
      instances.map(({ process }) => process.client().publish(makeEvents(50), { ack: 'stored' })),
    );
    for (const instance of instances) {
      const { received, unique_processed } = await statsOf(instance);
      assert.deepEqual([received, unique_processed], [250, 50]);
    }
  });

  test('go on where a newer one has only added something, and are refused where they would do harm', {
    timeout: 60_000,
  }, async (t) => {
    const cluster = await Cluster.start(t, { instances: 1 });
    const [first] = cluster.instances;
    await first!.process.client().publish(makeEvents(50));
    const before = await untilDrained(first!);
    const env = { DATABASE_URL: cluster.databaseUrl, REDIS_URL: cluster.redis.url };

    await execute(cluster.databaseUrl, 'UPDATE sekali.schema SET version = version + 1');
    const second = await cluster.add();
    await second.process.client().publish(makeEvents(60), { ack: 'stored' });
    assert.equal((await readPages(first!)).length, 60);
    assert.equal((await runCli(['migrate'], { env })).code, 0);

    await execute(cluster.databaseUrl, 'UPDATE sekali.schema SET oldest_program = version');
    for (const refused of [await refusedStart([], { env }), await runCli(['migrate'], { env })]) {
      assert.ok(refused.code !== 0 && refused.code !== null, `it ended with ${refused.code}`);
      assert.match(refused.stderr, /schema 2, which takes programs from schema 2 on.*start a newer Sekali/s);
    }
    // It was refused before it did anything.
    const after = await statsOf(first!);
    assert.deepEqual([before.received, after.received, after.unique_processed], [50, 110, 60]);
  });
});

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
