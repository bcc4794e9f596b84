import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { watchStats } from './stats.ts';

const NOTHING = { received: 0, unique_processed: 0, duplicate_dropped: 0, queued: 0, dead_lettered: 0 };
const SOME = { ...NOTHING, received: 5, unique_processed: 2, duplicate_dropped: 1, queued: 2 };
const ALL = { ...SOME, unique_processed: 4, queued: 0 };

test('an empty queue is not the end while there is more to come', async (t) => {
  const server = await serve(t, [NOTHING, NOTHING, SOME, ALL]);
  const samples = await watchStats(server.url, 1, () => server.asked() >= 2);
  assert.deepEqual(
    samples.map(({ stored, queued }) => [stored, queued]),
    [
      [0, 0],
      [0, 0],
      [3, 2],
      [5, 0],
    ],
  );
});

test('counters that do not add up, or go back, end the run', async (t) => {
  const odd = await serve(t, [NOTHING, { ...SOME, queued: 1 }]);
  await assert.rejects(
    watchStats(odd.url, 1, () => false),
    /not the sum/,
  );
  const back = await serve(t, [ALL, SOME]);
  await assert.rejects(
    watchStats(back.url, 1, () => false),
    /went back/,
  );
});

/** Gives these answers, one after the other. */
async function serve(t: TestContext, answers: readonly object[]) {
  let asked = 0;
  const server = createServer((_request, response) => {
    response.end(JSON.stringify(answers[asked++] ?? NOTHING));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked: () => asked };
}
