import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { openHttpLane } from './http-lane.ts';
import type { Tally } from './lane.ts';
import { EventNumbers } from './numbers.ts';
import type { LoadPlan } from './plan.ts';

const BATCH = 3;
const FULL = { code: 'overloaded', retryable: true };
const QUEUED = { count: BATCH, queued: BATCH, processed: null, duplicates: null };
const STORED = { count: BATCH, queued: 0, processed: 2, duplicates: 1 };

test('an answer that comes before the store has the events counts them as queued', async (t) => {
  const server = await serve(t, [{ status: 200, body: QUEUED }]);
  assert.deepEqual(await server.publish('queued'), {
    queued: BATCH,
    processed: 0,
    duplicates: 0,
    refusals: 0,
  });
  assert.deepEqual(server.asked, ['/publish?ack=queued']);
});

test('an answer of a store says what was new', async (t) => {
  const server = await serve(t, [{ status: 200, body: STORED }]);
  assert.deepEqual(await server.publish('stored'), { queued: 0, processed: 2, duplicates: 1, refusals: 0 });
});

test('a batch that a full queue refuses is sent again, as it was', async (t) => {
  const server = await serve(t, [
    { status: 503, body: FULL },
    { status: 200, body: QUEUED },
  ]);
  assert.equal((await server.publish('queued')).refusals, 1);
  const [first, second] = server.bodies;
  assert.ok(first);
  assert.equal(first, second);
});

test('a refusal is an error for whoever waits for the store, and so is a failure that is no refusal', async (t) => {
  const full = await serve(t, [{ status: 503, body: FULL }]);
  await assert.rejects(full.publish('stored'), /503.*overloaded/);
  const away = await serve(t, [{ status: 503, body: { code: 'queue_unavailable' } }]);
  await assert.rejects(away.publish('queued'), /503.*queue_unavailable/);
});

test('an answer that leaves events out is an error', async (t) => {
  const server = await serve(t, [{ status: 200, body: { ...STORED, duplicates: 0 } }]);
  await assert.rejects(server.publish('stored'), /not all events were taken/);
});

/** Gives these answers, one after the other. */
async function serve(t: TestContext, answers: { status: number; body: object }[]) {
  const asked: string[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const body: Buffer[] = [];
    request.on('data', (piece: Buffer) => body.push(piece));
    request.on('end', () => {
      bodies.push(Buffer.concat(body).toString());
      const answer = answers.shift() ?? { status: 500, body: {} };
      const text = JSON.stringify(answer.body);
      response.writeHead(answer.status, { 'content-length': text.length }).end(text);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function publish(ack: 'stored' | 'queued'): Promise<Tally> {
    const numbers = { events: BATCH, first: 0, duplicates: 0, seed: 1 };
    const plan: LoadPlan = { ...numbers, url, batch: BATCH, connections: 1, ack };
    const failed = Promise.withResolvers<never>();
    const lane = await openHttpLane(plan, failed.reject);
    try {
      const answered = new Promise<Tally>((resolve) => lane.send(new EventNumbers(numbers), resolve));
      return await Promise.race([answered, failed.promise]);
    } finally {
      lane.close();
    }
  }
  return { asked, bodies, publish };
}
