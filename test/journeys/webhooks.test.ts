/** Events that are sent to a URL: signed, again until they are taken, and never lost, whoever is down or dies. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type {
  DeadLettersAnswer,
  RotateSecretAnswer,
  SubscriptionAnswer,
  SubscriptionRequest,
  WebhookRequest,
} from '../../src/protocol/subscriptions-wire.ts';
import { send } from '../support/http.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { useServices } from '../support/services/services.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { TEST_CA, verified, verifiedBy, WebhookReceiver } from '../support/webhook-receiver.ts';

const services = useServices('postgres');
const env = { SEKALI_WEBHOOK_ALLOW: '127.0.0.1', SEKALI_LOG_LEVEL: 'info' };

async function startBoth(t: TestContext, extra: Record<string, string> = {}) {
  const dataDir = tempDir(t);
  const server = await startServerProcess(t, { dataDir, env: { ...env, ...extra } });
  return { dataDir, server, receiver: await WebhookReceiver.start(t) };
}

async function call<T>({ url }: ServerProcess, method: string, path: string, body?: unknown): Promise<T> {
  const json =
    body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await send(url, path, { method, ...json });
  assert.ok(answer.status < 300, answer.text);
  return (answer.text === '' ? undefined : answer.json<T>()) as T;
}

type Change = Partial<SubscriptionRequest> & { webhook: WebhookRequest };

async function put(server: ServerProcess, change: Change, name = 'mailer'): Promise<SubscriptionAnswer> {
  return await call(server, 'PUT', `/subscriptions/${name}`, { topics: ['orders.>', 'orders'], ...change });
}

async function statusOf(server: ServerProcess, name = 'mailer'): Promise<SubscriptionAnswer> {
  return await call(server, 'GET', `/subscriptions/${name}`);
}

async function settled(server: ServerProcess): Promise<SubscriptionAnswer> {
  return await until('all is settled', async () => {
    const status = await statusOf(server);
    return status.lag.events === 0 && status.leased === 0 && status.waiting === 0 && status;
  });
}

async function deadLetters(server: ServerProcess): Promise<DeadLettersAnswer['dead_letters']> {
  const path = '/subscriptions/mailer/dead-letters';
  return (await call<DeadLettersAnswer>(server, 'GET', path)).dead_letters;
}

test('each event is one request, as readers get it, and signed', async (t) => {
  const { server, receiver } = await startBoth(t);
  const made = await put(server, { webhook: { url: receiver.url } });
  assert.match(made.webhook?.secret ?? '', /^whsec_[A-Za-z0-9+/]{32}$/);
  assert.equal(made.max_attempts, 8);
  // Spelled as no printer of values would.
  const event =
    '{"topic":"orders","event_id":"raw","timestamp":"2026-01-31T12:00:00Z","source":"s","payload":{"n":1.0e2,  "ä":"\\u00e4"}}';
  await send(server.url, '/publish', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: event,
  });
  await server.client().publish(makeEvents(200));
  await settled(server);
  assert.equal(receiver.received.length, 201);
  const page = await send(server.url, '/events?order=asc&limit=1000');
  for (const one of receiver.received) {
    assert.ok(page.text.includes(one.body), one.body);
    assert.deepEqual(verifiedBy(made.webhook?.secret ?? '', one), [0]);
    assert.deepEqual(verified(made.webhook?.secret ?? '', one), one.event);
    assert.equal(one.headers['content-type'], 'application/json');
    assert.match(one.headers['user-agent'] ?? '', /^Sekali\/\d/);
    assert.ok(Math.abs(Number(one.headers['webhook-timestamp']) - Date.now() / 1000) < 60);
  }
  assert.match(
    receiver.received.find((one) => one.event.event_id === 'raw')?.body ?? '',
    /\{"n":1\.0e2, {2}"ä":"\\u00e4"\}/,
  );
  assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 201);
});

test('the secret is shown once; who puts again keeps it', async (t) => {
  const { server, receiver } = await startBoth(t);
  await put(server, { webhook: { url: receiver.url } });
  const again = await put(server, { webhook: { url: `${receiver.url}/other`, concurrency: 2 } });
  assert.equal(again.webhook?.secret, undefined);
  for (const path of ['/subscriptions/mailer', '/subscriptions']) {
    const { text } = await send(server.url, path);
    assert.ok(
      text.includes('"webhook":{"url"') && !text.includes('whsec_') && !text.includes('"secret'),
      text,
    );
  }
  assert.ok(server.log.every((line) => !line.includes('whsec_')));
});

test('a request that fails comes again, in time and with the same id, and is a dead letter in the end', async (t) => {
  const { server, receiver } = await startBoth(t);
  receiver.reply = ({ event }, nth) => {
    if (event.event_id === 'never') return 422;
    return nth < 3 ? 500 : 200;
  };
  await put(server, { webhook: { url: receiver.url, retry_ms: [100, 300] } });
  await server.client().publish([makeEvent({ event_id: 'later' })]);
  await settled(server);
  const [first, second, third, ...others] = receiver.received;
  assert.deepEqual(others, []);
  assert.ok(first && second && third);
  assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1);
  assert.equal(new Set(receiver.received.map(({ body }) => body)).size, 1);
  assert.ok(second.atMs - first.atMs >= 80, `${second.atMs - first.atMs} ms`);
  assert.ok(third.atMs - second.atMs >= 240, `${third.atMs - second.atMs} ms`);
  await server.client().publish([makeEvent({ event_id: 'never' })]);
  const dead = await until('the dead letter', async () => (await deadLetters(server))[0]);
  assert.deepEqual([dead.attempts, dead.reason], [3, 'HTTP 422']);
  // And after a redrive it gets another chance.
  receiver.reply = () => 200;
  await call(server, 'POST', '/subscriptions/mailer/dead-letters/redrive', { all: true });
  await settled(server);
  assert.equal(receiver.ids.filter((id) => id === 'never').length, 4);
});

test('Retry-After is believed', async (t) => {
  const { server, receiver } = await startBoth(t);
  receiver.reply = (_request, nth) => (nth === 1 ? { status: 503, headers: { 'retry-after': '1' } } : 200);
  await put(server, { webhook: { url: receiver.url, retry_ms: [3_600_000] } });
  await server.client().publish([makeEvent()]);
  await settled(server);
  const [first, second] = receiver.received;
  assert.ok(second!.atMs - first!.atMs >= 990, `${second!.atMs - first!.atMs} ms`);
});

test('a receiver that is gone is left alone until the webhook is put again', async (t) => {
  const { server, receiver } = await startBoth(t);
  receiver.reply = () => 410;
  const webhook = { url: receiver.url, concurrency: 1 };
  await put(server, { webhook });
  await server.client().publish(makeEvents(20));
  const { webhook: found } = await until('it is disabled', async () => {
    const status = await statusOf(server);
    return status.webhook?.state === 'disabled' && status.leased === 0 && status;
  });
  assert.equal(found?.reason, 'HTTP 410');
  const before = receiver.received.length;
  await server.client().publish(makeEvents(20, 'more-'));
  receiver.reply = () => 200;
  assert.equal((await put(server, { webhook: { url: receiver.url } })).webhook?.state, 'active');
  await settled(server);
  assert.equal(before, 1);
  assert.equal(new Set(receiver.ids).size, 40);
});

test('a target that is down is left alone, and its events keep their attempts', async (t) => {
  const { server, receiver } = await startBoth(t);
  receiver.reply = () => 503;
  await put(server, { max_attempts: 20, webhook: { url: receiver.url, retry_ms: [50] } });
  await server.client().publish(makeEvents(100));
  const { webhook } = await until('it is paused', async () => {
    const status = await statusOf(server);
    return status.webhook?.state === 'paused' && status.leased === 0 && status;
  });
  assert.equal(webhook?.reason, 'HTTP 503');
  assert.ok((webhook?.failures ?? 0) >= 10 && (webhook?.next_try_in_ms ?? -1) >= 0);
  assert.ok(receiver.received.length < 30, `${receiver.received.length} requests`);
  receiver.reply = () => 200;
  await settled(server);
  assert.equal((await statusOf(server)).webhook?.state, 'active');
  assert.equal(new Set(receiver.ids).size, 100);
  assert.deepEqual(await deadLetters(server), []);
});

test('who puts another URL, or none, is followed at once, though the old one is down', async (t) => {
  const { server, receiver } = await startBoth(t);
  const better = await WebhookReceiver.start(t);
  receiver.reply = () => 500;
  await put(server, { webhook: { url: receiver.url, retry_ms: [10] }, max_attempts: 0 });
  await server.client().publish(makeEvents(40));
  // Open for seconds by then, most likely.
  await until('it is paused', async () => ((await statusOf(server)).webhook?.failures ?? 0) >= 13);
  const changed = await put(server, { webhook: { url: better.url } });
  assert.deepEqual([changed.webhook?.state, changed.webhook?.secret], ['active', undefined]);
  await settled(server);
  assert.equal(new Set(better.ids).size, 40);
  const none = await call<SubscriptionAnswer>(server, 'PUT', '/subscriptions/mailer', {
    topics: ['>'],
    webhook: null,
  });
  assert.equal(none.webhook, undefined);
  await server.client().publish([makeEvent({ event_id: 'late' })]);
  const fetched = await call<{ count: number }>(server, 'POST', '/subscriptions/mailer/fetch', {
    wait_ms: 20_000,
  });
  assert.deepEqual([fetched.count, better.ids.includes('late')], [1, false]);
});

test('in an ordered subscription no event overtakes another of its topic', async (t) => {
  const { server, receiver } = await startBoth(t);
  const failedOnce = new Set<string>();
  receiver.reply = ({ event: { event_id } }) => {
    if (!event_id.endsWith('3') || failedOnce.has(event_id)) return 200;
    failedOnce.add(event_id);
    return 400;
  };
  await put(server, { ordered: true, webhook: { url: receiver.url, retry_ms: [50] } });
  const events = ['a', 'b', 'c'].map((name) => makeEvents(15, `${name}-`, { topic: `orders.${name}` }));
  await server.client().publish(events.flat());
  await settled(server);
  for (const topic of events) {
    const ids = topic.map(({ event_id }) => event_id);
    const got = receiver.received.filter(({ event }) => event.topic === topic[0]?.topic);
    const taken = got.map(({ event }) => event.event_id).filter((id, i, all) => all.indexOf(id) === i);
    assert.deepEqual(taken, ids);
    assert.equal(got.length, ids.length + 2);
  }
});

test('a URL that may lead into the network of the server is refused', async (t) => {
  const { server, receiver } = await startBoth(t, { SEKALI_WEBHOOK_ALLOW: 'hooks.internal' });
  for (const url of [
    receiver.url,
    'https://10.0.0.1/',
    'https://[::ffff:127.0.0.1]/',
    'http://example.com/',
    'https://a:b@c/',
  ]) {
    const body = JSON.stringify({ topics: ['>'], webhook: { url } });
    const answer = await send(server.url, '/subscriptions/mailer', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const { code, member } = answer.json<{ code: string; member: string }>();
    assert.deepEqual([answer.status, code, member], [422, 'subscription_invalid', 'webhook.url'], url);
  }
  assert.equal((await send(server.url, '/subscriptions/mailer')).status, 404);
  // A name is looked up when it is connected to.
  const { port } = new URL(receiver.url);
  await put(server, { max_attempts: 1, webhook: { url: `https://localhost:${port}/` } });
  await server.client().publish([makeEvent()]);
  const dead = await until('the dead letter', async () => (await deadLetters(server))[0]);
  assert.match(dead.reason, /localhost stands for .*not of the public internet/);
  assert.equal(receiver.connections, 0);
});

test('over https an event goes to whom the certificate names, if it is of a trusted authority, and to nobody else', async (t) => {
  const { server } = await startBoth(t, {
    NODE_EXTRA_CA_CERTS: TEST_CA,
    SEKALI_WEBHOOK_ALLOW: 'localhost,127.0.0.1',
  });
  const receiver = await WebhookReceiver.start(t, 'localhost');
  const [elsewhere, selfSigned] = await Promise.all([
    WebhookReceiver.start(t, 'elsewhere'),
    WebhookReceiver.start(t, 'self-signed'),
  ]);
  const made = await put(server, { webhook: { url: receiver.url } });
  const refusals = {
    elsewhere: [
      elsewhere.url,
      /does not match certificate's altnames: Host: localhost\. .*DNS:elsewhere\.example/,
    ],
    stranger: [selfSigned.url, /self-signed certificate/],
    address: [
      receiver.url.replace('localhost', '127.0.0.1'),
      /does not match certificate's altnames: IP: 127\.0\.0\.1/,
    ],
  } as const;
  for (const [name, [url]] of Object.entries(refusals)) await put(server, { webhook: { url } }, name);
  await server.client().publish([makeEvent()]);

  await settled(server);
  const [one] = receiver.received;
  assert.deepEqual(verified(made.webhook?.secret ?? '', one!), one?.event);
  assert.ok(receiver.serverNames.includes('localhost'));
  for (const [name, [, reason]] of Object.entries(refusals)) {
    const { webhook, waiting } = await until('it is refused', async () => {
      const status = await statusOf(server, name);
      return typeof status.webhook?.reason === 'string' && status.waiting > 0 && status;
    });
    assert.match(webhook?.reason ?? '', reason);
    assert.deepEqual([webhook?.state, waiting], ['active', 1]);
  }
  assert.equal(receiver.received.length + elsewhere.received.length + selfSigned.received.length, 1);
});

test('a secret is replaced without a gap', async (t) => {
  const { server, receiver } = await startBoth(t);
  const first = (await put(server, { webhook: { url: receiver.url } })).webhook?.secret ?? '';
  const rotate = async (overlap_ms?: number) =>
    await call<RotateSecretAnswer>(server, 'POST', '/subscriptions/mailer/webhook/rotate-secret', {
      overlap_ms,
    });
  const sign = async (event_id: string) => {
    await server.client().publish([makeEvent({ event_id })]);
    return await until('it came', async () =>
      receiver.received.find(({ event }) => event.event_id === event_id),
    );
  };
  assert.deepEqual(verifiedBy(first, await sign('a')), [0]);
  const second = await rotate();
  assert.equal(second.overlap_ms, 86_400_000);
  // The line of the subscription hears of it a moment later than the caller.
  const both = await until('it is signed with both', async () => {
    const one = await sign(`b${receiver.received.length}`);
    return verifiedBy(second.secret, one).length > 0 && one;
  });
  assert.deepEqual([verifiedBy(second.secret, both), verifiedBy(first, both)], [[0], [1]]);
  // Receivers with the old secret and with the new one take the same request.
  for (const secret of [first, second.secret]) assert.deepEqual(verified(secret, both), both.event);
  for (const _ of [3, 4, 5]) await rotate();
  await assert.rejects(rotate(), /"code":"secrets_full"/);
  assert.deepEqual(verifiedBy(first, await sign('full')).length, 1);
  const third = await rotate(0);
  const last = await until('it is signed with the third', async () => {
    const one = await sign(`c${receiver.received.length}`);
    return verifiedBy(third.secret, one).length > 0 && one;
  });
  assert.equal(String(last.headers['webhook-signature']).split(' ').length, 1);
  for (const secret of [first, second.secret]) assert.throws(() => verified(secret, last), /No matching/);
});

test('kill -9 while requests are under way loses nothing: they come again with the same ids', async (t) => {
  const { dataDir, server, receiver } = await startBoth(t);
  receiver.reply = (_request, nth) => (nth <= 20 ? 200 : () => {});
  await put(server, { ack_wait_ms: 1000, webhook: { url: receiver.url } });
  await server.client().publish(makeEvents(50));
  await until('some are under way', async () => receiver.received.length === 28);
  await server.stop('SIGKILL');
  const before = receiver.received.length;
  receiver.reply = () => 200;
  const next = await startServerProcess(t, { dataDir, env });
  await settled(next);
  assert.equal(new Set(receiver.ids).size, 50);
  const idOf = new Map<string, unknown>();
  for (const { event, headers } of receiver.received) {
    const id = headers['webhook-id'];
    assert.equal(idOf.get(event.event_id) ?? id, id);
    idOf.set(event.event_id, id);
  }
  const again = new Set(receiver.received.slice(before).map(({ event }) => event.event_id));
  for (const { event } of receiver.received.slice(20, before)) assert.ok(again.has(event.event_id));
});

test('a server that is told to stop lets requests end, and gives back what does not', async (t) => {
  const { dataDir, server, receiver } = await startBoth(t, { SEKALI_SHUTDOWN_TIMEOUT_MS: '2000' });
  let isStopping = false;
  receiver.reply = ({ event }) => {
    if (event.event_id === 'hangs') return () => {};
    return (response) =>
      void until('it stops', async () => isStopping).then(() => response.writeHead(200).end());
  };
  await put(server, { webhook: { url: receiver.url } });
  await server.client().publish([makeEvent({ event_id: 'hangs' }), makeEvent({ event_id: 'slow' })]);
  await until('both are under way', async () => receiver.received.length === 2);
  const stopped = server.stop();
  isStopping = true;
  assert.equal(await stopped, 0);
  receiver.reply = () => 200;
  const next = await startServerProcess(t, { dataDir, env });
  // Long before its lease would be over.
  await until('it came again', async () => receiver.received.length === 3, 10_000);
  await settled(next);
  assert.deepEqual(receiver.ids.slice(2), ['hangs']);
});

test('servers that share a database share the work, and follow each other', services.options, async (t) => {
  const database = { SEKALI_DATABASE_URL: await services.postgres(), ...env };
  const receiver = await WebhookReceiver.start(t);
  const [one, other] = await Promise.all([
    startServerProcess(t, { dataDir: tempDir(t), env: database }),
    startServerProcess(t, { dataDir: tempDir(t), env: database }),
  ]);
  let underWayMost = 0;
  let underWay = 0;
  receiver.reply = () => (response) => {
    underWayMost = Math.max(underWayMost, ++underWay);
    setTimeout(() => {
      underWay--;
      response.writeHead(204).end();
    }, 20);
  };
  const made = await put(one, { webhook: { url: receiver.url, concurrency: 4 } });
  // The other one learns of it within some seconds: until then there has to be something left.
  let published = 0;
  await until('both have sent', async () => {
    await other.client().publish(makeEvents(8, `${published}-`));
    published += 8;
    return underWayMost > 4;
  });
  await settled(other);
  assert.equal(receiver.received.length, published);
  assert.equal(new Set(receiver.ids).size, published);
  for (const request of receiver.received)
    assert.deepEqual(verifiedBy(made.webhook?.secret ?? '', request), [0]);
  await call(other, 'DELETE', '/subscriptions/mailer');
  await one.client().publish(makeEvents(10, 'late-'));
  assert.equal(await one.stop(), 0);
  assert.equal(await other.stop(), 0);
  assert.equal(receiver.received.length, published);
});
