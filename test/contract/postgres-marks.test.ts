/** The marks of exactlyOnce in PostgreSQL, where consumers start together and beside others at work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pool } from 'pg';
import { postgres } from '../../src/client/index.ts';
import { useServices } from '../support/services/services.ts';

const services = useServices('postgres');

test('consumers that start together make the table of marks once', services.options, async () => {
  const connectionString = await services.postgres();
  const pools = Array.from({ length: 4 }, () => new Pool({ connectionString, max: 1 }));
  for (const pool of pools) await pool.query('SELECT 1');
  for (let round = 0; round < 10; round++) {
    await pools[0]!.query('DROP TABLE IF EXISTS sekali_marks');
    await Promise.all(pools.map(async (pool) => await postgres(pool).prepare?.()));
  }
  for (const pool of pools) await pool.end();
});

test('a consumer that starts waits for none that is at work, and none for it', services.options, async () => {
  const pool = new Pool({ connectionString: await services.postgres(), max: 4 });
  await postgres(pool).prepare?.();
  const busy = await pool.connect();
  await busy.query("BEGIN; INSERT INTO sekali_marks VALUES ('s', 't', '1', 1)");
  // Either would wait for the transaction above, which ends only after them.
  await postgres(pool).prepare?.();
  await pool.query("INSERT INTO sekali_marks VALUES ('s', 't', '2', 2)");
  await busy.query('COMMIT');
  busy.release();
  const { rows } = await pool.query('SELECT count(*)::int AS marks FROM sekali_marks');
  assert.deepEqual(rows, [{ marks: 2 }]);
  await pool.end();
});
