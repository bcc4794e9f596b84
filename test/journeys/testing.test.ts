/** What `sekali/testing` gives to the tests of others, as they use it: with the client, over HTTP. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { RequestError, Sekali, type SekaliOptions } from '../../src/client/index.ts';
import type { SubscriptionRequest } from '../../src/protocol/subscriptions-wire.ts';
import {
  type FailureOptions,
  startSekali,
  type TestSekali,
  type TestSekaliOptions,
} from '../../src/testing/index.ts';
import { EventStream } from '../support/event-stream.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { until } from '../support/until.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

async function start(t: TestContext, options?: TestSekaliOptions): Promise<TestSekali> {
  const sekali = await startSekali(options);
  t.after(() => sekali.stop());
  return sekali;
}

/** A client that tells the status of each try that failed; 0 where there was no answer. */
function clientOf({ url }: TestSekali, options: SekaliOptions = {}) {
  const failed: number[] = [];
  const backoff = { firstMs: 1, maxMs: 1 };
  const onRetry = ({ status }: RequestError) => failed.push(status);
  return { client: new Sekali({ url, source: 'test', backoff, onRetry, ...options }), failed };
}

async function subscribe({ url }: TestSekali, given: SubscriptionRequest): Promise<void> {
  const body = JSON.stringify(given);
  const headers = { 'content-type': 'application/json' };
  await new Sekali({ url }).request('/subscriptions/mailer', { method: 'PUT', headers, body });
}

test('what a client has published is there, parsed, by topic and by pattern', async (t) => {
  const sekali = await start(t);
  const { client } = clientOf(sekali);
  await client.publish('orders.eu', { event_id: 'order-1', payload: { total: 12 } });
  await client.publish('mails', { event_id: 'mail-1', payload: {} });
  const [event, ...others] = await sekali.events('orders.>');
  assert.deepEqual(others, []);
  const { timestamp: _timestamp, processed_at: _processed, ...rest } = event!;
  const sent = { topic: 'orders.eu', event_id: 'order-1', source: 'test', payload: { total: 12 } };
  assert.deepEqual(rest, { ...sent, position: 1 });
  assert.deepEqual((await client.events()).events, await sekali.events());
  assert.deepEqual(await sekali.events('orders'), []);
  await assert.rejects(sekali.events('orders.>.eu'), /^TypeError: events: > must be the last word/);
});

test('all events are given, however many pages they have', async (t) => {
  const sekali = await start(t);
  await clientOf(sekali).client.publish(makeEvents(2500));
  assert.deepEqual(
    (await sekali.events('orders')).map(({ position }) => position),
    Array.from({ length: 2500 }, (_, i) => i + 1),
  );
});

const FAILURES: readonly [FailureOptions, readonly number[], 'stored' | 'duplicate'][] = [
  [{}, [503], 'stored'],
  [{ times: 3 }, [503, 503, 503], 'stored'],
  [{ status: 429, times: 2 }, [429, 429], 'stored'],
  [{ how: 'cut', times: 2 }, [0, 0], 'stored'],
  [{ how: 'answer_lost' }, [0], 'duplicate'],
  [{ how: 'answer_lost', times: 2 }, [0, 0], 'duplicate'],
  [{ how: 'stalled' }, [0], 'stored'],
];

for (const [failure, statuses, verdict] of FAILURES) {
  test(`a publisher that tries again after ${JSON.stringify(failure)} is told ${verdict}, and has stored one event`, async (t) => {
    const sekali = await start(t);
    const { client, failed } = clientOf(sekali, failure.how === 'stalled' ? { timeoutMs: 200 } : {});
    const planned = sekali.failNext(failure);
    const receipt = await client.publish('orders', { event_id: 'order-1', payload: {} });
    assert.equal(receipt.verdict, verdict);
    assert.deepEqual(failed, statuses);
    assert.equal(planned.left, 0);
    assert.equal((await sekali.events('orders')).length, 1);
  });
}

test('what is refused is refused as the server does it, but that nobody has to wait', async (t) => {
  const sekali = await start(t);
  const { client } = clientOf(sekali, { retryForMs: 0 });
  const publish = () => client.publish([makeEvent()]);
  sekali.failNext();
  sekali.failNext({ status: 500 });
  sekali.failNext({ status: 502, retryAfterS: 7 });
  await assert.rejects(publish(), { status: 503, code: 'store_unavailable', retryAfter: '0' });
  await assert.rejects(publish(), { status: 500, code: 'internal', retryAfter: null });
  await assert.rejects(publish(), (error: RequestError) => {
    assert.deepEqual([error.status, error.problem, error.retryAfter], [502, undefined, '7']);
    return true;
  });
  await publish();
  assert.equal((await client.stats()).received, 1);
});

test('only the requests fail that are meant, until the failure is ended', async (t) => {
  const sekali = await start(t);
  const { client } = clientOf(sekali, { retryForMs: 0 });
  const outage = sekali.failNext({ of: 'GET /events/{topic}/{event_id}', times: Number.POSITIVE_INFINITY });
  await client.publish([makeEvent()]);
  assert.equal((await client.events()).count, 1);
  for (let n = 0; n < 3; n++) await assert.rejects(client.event('orders', 'order-1'), { status: 503 });
  outage.end();
  assert.equal((await client.event('orders', 'order-1')).position, 1);
  assert.equal(outage.left, 0);
  const other = sekali.failNext({ of: 'PUT /subscriptions/{name}' });
  await assert.rejects(client.request('/subscriptions/mailer'), { code: 'subscription_unknown' });
  assert.equal(other.left, 1);
});

test('who has no key is told so, also where a failure was asked for', async (t) => {
  const sekali = await start(t, { apiKey: 'secret' });
  const planned = sekali.failNext();
  const event = makeEvent();
  await assert.rejects(clientOf(sekali).client.publish([event]), { status: 401 });
  assert.equal(planned.left, 1);
  const { client, failed } = clientOf(sekali, { key: 'secret' });
  await client.publish([event]);
  assert.deepEqual(failed, [503]);
});

test('a failure that cannot be is named, with its rule', async (t) => {
  const sekali = await start(t);
  const wrong: readonly [FailureOptions, RegExp][] = [
    [
      { how: 'lost' as 'cut' },
      /^failNext: how must be one of refused, cut, answer_lost, stalled, not "lost"$/,
    ],
    [{ times: 0 }, /^failNext: times must be a whole number from 1, or Infinity, not 0$/],
    [{ times: Number.NaN }, /times must be .* not NaN$/],
    [{ status: 200 }, /status must be a whole number from 400 to 599, not 200$/],
    [{ retryAfterS: -1 }, /retryAfterS must be a whole number from 0, not -1$/],
    [{ of: 'GET /nowhere' }, /of must be a method and a path of PROTOCOL.md, .* not "GET \/nowhere"$/],
    [{ of: 'DELETE /publish' }, /of must be/],
    [{ how: 'answer_lost', of: 'GET /stream' }, /a stream has no one answer/],
    [
      { how: 'stalled', retryAfter: 3, code: 'x' } as object,
      /^failNext: retryAfter is no option; did you mean "retryAfterS"\?\nfailNext: code is no option$/,
    ],
    [
      { how: 'cut', status: 500 },
      /^failNext: status is of "refused" alone: with "cut" the client gets no answer$/,
    ],
    [{ how: 'stalled', retryAfterS: 1 }, /^failNext: retryAfterS is of "refused" alone: with "stalled"/],
    [{ how: 'answer_lost', status: 500 }, /^failNext: status is of "refused" alone/],
  ];
  for (const [failure, message] of wrong)
    assert.throws(() => sekali.failNext(failure), { name: 'TypeError', message });
  await clientOf(sekali, { retryForMs: 0 }).client.publish([makeEvent()]);
});

test('once it is cleared nothing is known of what was there, and who follows goes on', async (t) => {
  const sekali = await start(t);
  const { client } = clientOf(sekali, { retryForMs: 0 });
  await subscribe(sekali, { topics: ['orders'], start: 'earliest' });
  await using stream = await EventStream.open(`${sekali.url}/stream?topic=orders`);
  await stream.next(); // it follows from here on
  await client.publish([makeEvent(), makeEvent({ payload: {} })]);
  assert.match((await stream.next())?.data ?? '', /"position":1/);
  sekali.failNext();
  await sekali.clear();

  assert.deepEqual(await sekali.events(), []);
  const { received, duplicate_dropped, topics } = await client.stats();
  assert.deepEqual([received, duplicate_dropped, topics], [0, 0, []]);
  await assert.rejects(client.request('/subscriptions/mailer'), { code: 'subscription_unknown' });
  await assert.rejects(client.event('orders', 'order-1'), { code: 'event_unknown' });
  await using late = await EventStream.open(`${sekali.url}/stream?topic=orders&after=0`);
  await late.next();
  const receipt = await client.publish('orders', { event_id: 'order-1', payload: {} });
  assert.deepEqual([receipt.verdict, receipt.position], ['stored', 2]);
  for (const one of [stream, late]) assert.match((await one.next())?.data ?? '', /"position":2/);
});

/** A publish that the server has begun to take, and that waits for its body. */
async function beginPublish({ url }: TestSekali, body: string): Promise<ClientRequest> {
  const headers = { 'content-length': Buffer.byteLength(body), expect: '100-continue' };
  const begun = request(`${url}/publish`, { method: 'POST', headers });
  begun.flushHeaders();
  await once(begun, 'continue');
  return begun;
}

test('what is being published when it is cleared ends first, and is not there afterwards', async (t) => {
  const sekali = await start(t);
  const body = JSON.stringify(makeEvent());
  const publish = await beginPublish(sekali, body);
  const cleared = sekali.clear();
  publish.end(body);
  const [answer] = (await once(publish, 'response')) as [IncomingMessage];
  assert.match(await text(answer), /"processed":1/);
  await cleared;
  assert.deepEqual(await sekali.events(), []);
});

test('a publish that does not go on holds up no clearing', { timeout: 20_000 }, async (t) => {
  const sekali = await start(t);
  const body = JSON.stringify(makeEvent());
  const publish = await beginPublish(sekali, body);
  await sekali.clear();
  publish.end(body);
  await once(publish, 'response');
  assert.equal((await sekali.events()).length, 1);
});

test('who waits for events of a subscription is told that it is cleared', { timeout: 20_000 }, async (t) => {
  const sekali = await start(t, { apiKey: 'secret' });
  const { client } = clientOf(sekali, { key: 'secret', retryForMs: 0 });
  const post = (path: string, body: object, method = 'POST') =>
    client.request(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  await post('/subscriptions/mails to all%2F1', { topics: ['orders'] }, 'PUT');
  const fetch = () => post('/subscriptions/mails to all%2F1/fetch', { wait_ms: 30_000 });
  const fetches = [fetch(), fetch()];
  const ends = Promise.allSettled(fetches);
  await client.publish([makeEvent()]);
  await Promise.race(fetches); // one has the event, and the other waits on
  await sekali.clear();
  const refused = (await ends).flatMap((end) =>
    end.status === 'rejected' ? [end.reason as RequestError] : [],
  );
  assert.deepEqual(
    refused.map(({ code }) => code),
    ['subscription_unknown'],
  );
});

test('webhooks reach a receiver on this machine', async (t) => {
  const [sekali, receiver] = await Promise.all([start(t), WebhookReceiver.start(t)]);
  await subscribe(sekali, { topics: ['orders'], webhook: { url: receiver.url } });
  await clientOf(sekali).client.publish([makeEvent()]);
  const received = await until('the event has come', async () => receiver.received[0]);
  assert.equal(received.event.event_id, 'order-1');
});

test('options are held to the rules of the settings, and all that is wrong is told', async () => {
  await assert.rejects(startSekali({ eventsmax: 1, data: 'x' } as object), {
    code: 'config_invalid',
    message: 'startSekali: eventsmax is no option; did you mean "eventsMax"?\nstartSekali: data is no option',
  });
  await assert.rejects(startSekali({ eventsMax: 0, dedupWindow: { orders: 'soon' } }), {
    code: 'config_invalid',
    message: /events_max must be an integer from 1 .* not "0"\n.*dedup_window: "orders": the window must be/,
  });
});

test('options count, and nothing is taken from the environment', async (t) => {
  process.env['SEKALI_EVENTS_MAX'] = '1';
  t.after(() => delete process.env['SEKALI_EVENTS_MAX']);
  const sekali = await start(t, { eventsMax: 2, bodyBytesMax: '1MiB', apiKey: undefined });
  const { client } = clientOf(sekali);
  await client.publish(makeEvents(2));
  await assert.rejects(client.publish(makeEvents(3)), { code: 'batch_too_long' });
  await assert.rejects(client.publish(`"${'x'.repeat(1024 * 1024)}"`), { code: 'body_too_large' });
});

test('many run beside one another, and none knows of another', async (t) => {
  const all = await Promise.all(Array.from({ length: 20 }, () => start(t)));
  await Promise.all(all.map((one, n) => clientOf(one).client.publish(makeEvents(n + 1))));
  const counts = await Promise.all(all.map(async (one) => (await one.events()).length));
  assert.deepEqual(
    counts,
    Array.from({ length: 20 }, (_, n) => n + 1),
  );
});

test('it ends at once, whoever waits, and ends once', { timeout: 20_000 }, async () => {
  const sekali = await startSekali();
  const { client } = clientOf(sekali, { retryForMs: 0 });
  const planned = sekali.failNext({ how: 'stalled' });
  const waiting = Promise.allSettled([
    client.publish([makeEvent()]),
    client.request('/events?after=0&wait=30').then((response) => response.text()),
    EventStream.open(`${sekali.url}/stream`).then((stream) => stream.next()),
  ]);
  await until('the publish is stalled', async () => planned.left === 0);
  await Promise.all([sekali.stop(), sekali.stop()]);
  await waiting;
  await assert.rejects(client.stats(), RequestError);
});
