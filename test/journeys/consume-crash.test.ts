import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Workers } from '../../src/consume/workers.ts';
import { CONSUME_FAILPOINTS } from '../../src/failpoint.ts';
import { openQueue } from '../../src/queue/open-queue.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import { storeMarkOf } from '../../src/store/store-mark.ts';
import { BYTES_MAX, groupOf } from '../contract/queue/case.ts';
import { useServices } from '../support/services/services.ts';
import { until } from '../support/until.ts';

const services = useServices('postgres', 'redis');
const PROCESS = new URL('../support/consume-process.ts', import.meta.url).pathname;

for (const point of CONSUME_FAILPOINTS) {
  test(
    `kill -9 at ${point}: other workers take over, and nothing is counted twice`,
    services.options,
    async () => {
      const databaseUrl = await services.postgres();
      const { url, key: queueKey } = await services.redis();
      const settings = { url, queueKey, bytesMax: BYTES_MAX, claimMs: 500, replicasMin: 0 };
      const queue = await openQueue({ ...settings, onEvent: () => {} });
      const store = await PostgresStore.open({ databaseUrl });
      for (let i = 0; i < 20; i++) await queue.enqueue(groupOf(`${i}a`, `${i}b`));

      const storeMark = storeMarkOf(store.secrets);
      const consume = { databaseUrl, queue: settings, workerCount: 1 };
      const env = { ...process.env, SEKALI_FAILPOINT: `${point}:2` };
      const doomed = spawn(process.execPath, [PROCESS, JSON.stringify({ ...consume, storeMark })], {
        env,
        stdio: 'inherit',
      });
      const [, signal] = (await once(doomed, 'exit')) as [number | null, string | null];
      assert.equal(signal, 'SIGKILL');
      assert.ok((await queue.state()).entries > 0, 'it was killed in the midst of its work');

      const deaths: unknown[] = [];
      const workers = new Workers(consume, { onLog: () => {}, onDeath: (error) => deaths.push(error) });
      workers.start(storeMark);
      await until('an empty queue', async () => (await queue.state()).entries === 0);
      await workers.close();
      const { received, unique_processed, duplicate_dropped, consumed } = await store.counters();
      assert.deepEqual([received, unique_processed, duplicate_dropped], [40, 40, 0]);
      assert.deepEqual(consumed, { [(await queue.state()).epoch]: 40 });
      assert.deepEqual(deaths, []);
      await queue.close();
      await store.close();
    },
  );
}
