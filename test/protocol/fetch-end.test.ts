/** What becomes of those who wait for events when the server ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FetchAnswer } from '../../src/protocol/subscriptions-wire.ts';
import { type Answer, send } from '../support/http.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';

const SUBSCRIPTION = '/subscriptions/s';

async function post(url: string, path: string, body: unknown, method = 'POST'): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return await send(url, path, { method, headers, body: JSON.stringify(body) });
}

test('a server that ends answers those who wait, at once', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  await post(server.url, SUBSCRIPTION, { topics: ['>'] }, 'PUT');
  const waiting = Array.from(
    { length: 5 },
    async () => await post(server.url, `${SUBSCRIPTION}/fetch`, { wait_ms: 60_000 }),
  );
  await post(server.url, `${SUBSCRIPTION}/fetch`, {});
  const startedMs = performance.now();
  assert.equal(await server.stop(), 0);
  for (const answer of await Promise.all(waiting)) {
    assert.deepEqual([answer.status, answer.json<FetchAnswer>().events], [200, []]);
  }
  assert.ok(performance.now() - startedMs < 10_000);
});
