/** The client does in a browser, on a page of another origin, what it does in Node. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import type * as Client from '../../src/client/index.ts';
import { WebSite } from '../support/browser.ts';
import { startServerProcess } from '../support/server-process.ts';
import { useServices } from '../support/services/services.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const services = useServices('chromium');

const KEY = 'a-key-of-the-page';

/** What the functions below find in their page, where they run. */
declare const client: typeof Client;
declare const tell: (eventId: string) => Promise<void>;

test('a page of another origin', services.options, async (t) => {
  const site = await WebSite.start(t);
  const options = {
    dataDir: tempDir(t),
    env: {
      SEKALI_API_KEY: KEY,
      SEKALI_CORS_ORIGINS: site.origin(),
      SEKALI_STREAM_HEARTBEAT_MS: '200',
    },
  };
  let server = await startServerProcess(t, options);
  const page = await site.open(site.origin());
  const given = { url: server.url, key: KEY };

  await t.test('publishes an event, and again, and has its receipts', async () => {
    const verdicts = await page.evaluate(async (given) => {
      const sekali = new client.Sekali({ ...given, source: 'page' });
      const event = { event_id: 'one', payload: { n: 1 } };
      return [await sekali.publish('orders', event), await sekali.publish('orders', event)];
    }, given);
    const receipt = { event_id: 'one', position: 1 };
    assert.deepEqual(verdicts, [
      { verdict: 'stored', ...receipt },
      { verdict: 'duplicate', ...receipt },
    ]);
  });

  await t.test('publishes many events in batches', async () => {
    await page.evaluate(async (given) => {
      await using publisher = new client.Sekali({ ...given, source: 'page' }).publisher();
      for (let i = 0; i < 50; i++) await publisher.send('orders', { event_id: `many-${i}`, payload: { i } });
    }, given);
    assert.equal((await server.client(KEY).stats()).unique_processed, 51);
  });

  await t.test('follows events over a restart of the server: no gap, no repeat, in order', async () => {
    const seen: string[] = [];
    await page.exposeFunction('tell', (eventId: string) => void seen.push(eventId));
    await page.evaluate((given) => {
      const sekali = new client.Sekali({ ...given, backoff: { firstMs: 20, maxMs: 200 } });
      void (async () => {
        for await (const event of sekali.tail('orders', { after: 0 })) await tell(event.event_id);
      })();
    }, given);
    await until('what was there has come', async () => seen.length === 51);
    await server.stop('SIGKILL');
    server = await startServerProcess(t, { ...options, port: Number(new URL(server.url).port) });
    await server.client(KEY).publish('orders', { event_id: 'later', payload: {}, source: 'test' });
    await until('it has gone on', async () => seen.includes('later'));
    assert.deepEqual(seen, ['one', ...Array.from({ length: 50 }, (_, i) => `many-${i}`), 'later']);
  });

  await t.test('consumes a subscription, and acknowledges', async () => {
    const handled = await page.evaluate(async (given) => {
      const stop = new AbortController();
      const handled: string[] = [];
      const consumer = new client.Sekali(given).consumer('page', {
        topics: ['orders'],
        start: 'earliest',
        concurrency: 4,
      });
      await consumer.run(
        async (event) => {
          if (handled.push(event.event_id) === 52) stop.abort();
        },
        { signal: stop.signal },
      );
      return handled;
    }, given);
    assert.equal(new Set(handled).size, 52);
    const { lag, leased, waiting, dead } = await server.client(KEY).subscriptions.get('page');
    assert.deepEqual([lag.events, leased, waiting, dead], [0, 0, 0, 0]);
  });

  await t.test('is told by a code what is wrong, also by the server', async () => {
    assert.equal(await codeOf(page, given), 'event_unknown');
    assert.equal(await codeOf(page, { ...given, key: 'wrong' }), 'key_wrong');
  });

  await t.test('that the operator has not named gets no answer', async () => {
    const stranger = await site.open(site.origin('localhost'));
    assert.equal(await codeOf(stranger, given), 'no_answer');
  });

  await t.test('may take the modules as the package has them, without a bundler', async () => {
    const plain = await site.open(site.origin(), '/dist/client/index.js');
    assert.equal(await codeOf(plain, given), 'event_unknown');
  });
});

/** @returns the code of the error that asking for an unknown event ends with */
async function codeOf(page: Page, given: { url: string; key: string }): Promise<string | undefined> {
  return await page.evaluate(async (given) => {
    const { RequestError, Sekali } = client;
    const asked = new Sekali({ ...given, retryForMs: 0 }).event('orders', 'nothing');
    const error: unknown = await asked.catch((error: unknown) => error);
    return error instanceof RequestError ? error.code : undefined;
  }, given);
}
