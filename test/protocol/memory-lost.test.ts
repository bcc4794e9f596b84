/** A queue server that is restarted while events are enqueued: what it lost, and what it may have lost, is told once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatsAnswer } from '../../src/protocol/wire.ts';
import { type Answer, send } from '../support/http.ts';
import { makeEvent } from '../support/make-events.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { RedisServer } from '../support/services/redis-server.ts';
import { useServices } from '../support/services/services.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const services = useServices('postgres', 'redis-server');

/** Publishes with ack=queued, one after the other, until it is told to stop. */
class Publishing {
  taken = 0;
  refused = 0;
  readonly #server: ServerProcess;
  readonly #done: Promise<void>;
  #isOver = false;

  constructor(server: ServerProcess) {
    this.#server = server;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    for (let i = 0; !this.#isOver; i++) {
      const { status } = await this.#publish(`event-${i}`);
      if (status === 200) this.taken++;
      else this.refused++;
    }
  }

  async #publish(event_id: string): Promise<Answer> {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(makeEvent({ event_id }));
    return await send(this.#server.url, '/publish?ack=queued', { method: 'POST', headers, body });
  }
}

function toldOf({ log }: ServerProcess, what: RegExp): string[] {
  return log.filter((line) => what.test(line));
}

const LOST = /"level":50.*Redis has lost its memory/;
const IN_DOUBT = /"level":40.*Redis was restarted, or another server took over/;

for (const [what, appendonly, told, untold] of [
  ['without what it had', false, LOST, IN_DOUBT],
  ['with what was on its disk', true, IN_DOUBT, LOST],
] as const)
  test(
    `a queue server that comes back ${what} amid publishing is told of once`,
    services.options,
    async (t) => {
      await using redis = await RedisServer.start({ appendonly, appendfsync: 'everysec' });
      const env = { SEKALI_DATABASE_URL: await services.postgres(), SEKALI_REDIS_URL: redis.url };
      const server = await startServerProcess(t, { dataDir: tempDir(t), env });
      const publishing = new Publishing(server);
      await until('some are taken', async () => publishing.taken >= 20);
      await redis.kill();
      await until('some are refused', async () => publishing.refused >= 20);
      const before = publishing.taken;
      await redis.restart();
      await until('some are taken again', async () => publishing.taken >= before + 20);
      await publishing.stop();
      await until('the memory is told of', async () => toldOf(server, told).length > 0);
      const stats = await until('nothing is queued', async () => {
        const answer = await send(server.url, '/stats');
        return answer.status === 200 && answer.json<StatsAnswer>().queued === 0 && answer.json<StatsAnswer>();
      });
      const { received, unique_processed, duplicate_dropped, dead_lettered } = stats;
      assert.equal(received, unique_processed + duplicate_dropped + dead_lettered);
      assert.equal(await server.stop(), 0);
      assert.deepEqual([toldOf(server, told).length, toldOf(server, untold).length], [1, 0]);
    },
  );
