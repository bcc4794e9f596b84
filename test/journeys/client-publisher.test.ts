/** The client's publisher and a real server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Receipt, Sekali } from '../../src/client/index.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';

test('an event is stored once, however often it is published', async (t) => {
  const { url } = await startServerProcess(t, { dataDir: tempDir(t) });
  const sekali = new Sekali({ url, source: 'billing' });
  const event = { event_id: 'ord_1', payload: { total: 1 } };
  const first = await sekali.publish('orders', event);
  assert.deepEqual(first, { verdict: 'stored', event_id: 'ord_1', position: 1 });
  assert.equal((await sekali.publish('orders', event)).verdict, 'duplicate');
  assert.equal((await sekali.publish('orders', { ...event, payload: { total: 2 } })).verdict, 'conflict');
  await assert.rejects(sekali.publish('orders', { ...event, timestamp: 'yesterday' }), {
    name: 'ClientError',
    code: 'timestamp_invalid',
  });
  const made = await sekali.publish('orders', { payload: {} });
  assert.equal((await sekali.event('orders', made.event_id)).position, made.position);
});

test('a publisher whose server is killed in the middle stores every event once, in their order', async (t) => {
  const dataDir = tempDir(t);
  let server = await startServerProcess(t, { dataDir });
  const { url } = server;
  const retries: string[] = [];
  const sekali = new Sekali({
    url,
    source: 'billing',
    backoff: { firstMs: 20, maxMs: 200 },
    onRetry: ({ code }) => void retries.push(code),
  });
  const receipts: Receipt[] = [];
  const ids: string[] = [];
  {
    await using out = sekali.publisher({
      maxBatch: 50,
      lingerMs: 5,
      bufferBytes: 50_000,
      onReceipt: (receipt) => void receipts.push(receipt),
    });
    for (let i = 0; i < 3000; i++) {
      ids.push(await out.send('orders', { payload: { i } }));
      if (i === 1000) {
        await server.stop('SIGKILL');
        server = await startServerProcess(t, { dataDir, port: Number(new URL(url).port) });
      }
    }
  }
  assert.ok(retries.length > 0);
  assert.deepEqual(
    receipts.map(({ event_id }) => event_id),
    ids,
  );
  const { events, count } = await sekali.events({ topic: 'orders', limit: 1000, after: 2000 });
  assert.equal(count, 1000);
  assert.deepEqual(
    events.map(({ event_id }) => event_id),
    ids.slice(2000),
  );
  assert.equal((await sekali.stats()).unique_processed, 3000);
});

test('events that the server refuses are told by flush, and their neighbours are stored', async (t) => {
  const { url } = await startServerProcess(t, { dataDir: tempDir(t), args: ['--event-bytes-max', '1024'] });
  const sekali = new Sekali({ url, source: 'billing' });
  const out = sekali.publisher();
  for (let i = 0; i < 10; i++) {
    await out.send('orders', { payload: { text: 'x'.repeat(i === 4 ? 2000 : 10) } });
  }
  await assert.rejects(out.flush(), { code: 'events_not_taken', message: /^1 events were not taken/ });
  assert.equal((await sekali.stats()).unique_processed, 9);
  await out.close();
});
