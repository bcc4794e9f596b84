import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MemoryReader } from '../../../test/support/memory-reader.ts';
import { until } from '../../../test/support/until.ts';
import { WebhookReceiver } from '../../../test/support/webhook-receiver.ts';
import { systemClock } from '../../clock.ts';
import { MemorySubscriptions } from '../../store/memory/memory-subscriptions.ts';
import type { SubscriptionDefinition } from '../../store/subscription-store.ts';
import type { Deliveries } from '../deliveries.ts';
import { Subscriptions } from '../subscriptions.ts';
import { Webhooks } from './webhooks.ts';

const DEFINITION: SubscriptionDefinition = {
  topics: ['>'],
  ackWaitMs: 30_000,
  attemptsMax: 5,
  inFlightMax: 1000,
  backoff: { firstMs: 1000, maxMs: 60_000 },
  ordered: false,
};
const HOW = { start: { kind: 'earliest' }, condition: {} } as const;

/** Two instances of one store, the first of which sends to a receiver that holds its answers. */
async function startBoth(t: TestContext) {
  const receiver = await WebhookReceiver.start(t);
  const answers: ((status: number) => void)[] = [];
  receiver.reply = () => (response) => void answers.push((status) => response.writeHead(status).end());
  const reader = new MemoryReader();
  const subscriptions = new Subscriptions({ store: new MemorySubscriptions(systemClock), reader });
  const open = (deliveries: Deliveries) => {
    const webhooks = new Webhooks({
      deliveries,
      stored: { onStored: () => () => {} },
      userAgent: 'test',
      allowed: ['127.0.0.1'],
      timeoutMs: 10_000,
      requestsMax: 10,
      log: { debug: () => {}, warn: () => {} },
    });
    t.after(() => webhooks.stop(0));
    return webhooks;
  };
  const webhook = { url: receiver.url, concurrency: 1, retryMs: [3_600_000] };
  const one = open(subscriptions);
  reader.publish('a');
  await one.put('mailer', DEFINITION, { ...HOW, webhook });
  await until('it is under way', async () => answers.length === 1);
  return { subscriptions, open, one, webhook, receiver, answers, reader };
}

const isSettled = async (subscriptions: Subscriptions) =>
  await until('the event is given back', async () => (await subscriptions.get('mailer'))?.leased === 0);

test('a 410 disables the definition that was sent by', async (t) => {
  const { subscriptions, answers } = await startBoth(t);
  answers[0]!(410);
  await until(
    'it is disabled',
    async () => (await subscriptions.get('mailer'))?.webhook?.disabledReason === 'HTTP 410',
  );
});

test('a 410 does not disable what was put while it was on its way', async (t) => {
  const { subscriptions, one, webhook, answers, receiver } = await startBoth(t);
  const { version } = await one.put('mailer', DEFINITION, { ...HOW, webhook });
  answers[0]!(410);
  await until('it is sent again by the new one', async () => answers.length === 2);
  const found = await subscriptions.get('mailer');
  assert.deepEqual([found?.version, found?.webhook?.disabledReason], [version, null]);
  answers[1]!(200);
  await isSettled(subscriptions);
  assert.equal(receiver.received.length, 2);
});

test('a 410 makes nothing of what was removed, and does not disable what was made in its place', async (t) => {
  const { subscriptions, open, webhook, answers } = await startBoth(t);
  await subscriptions.remove('mailer');
  answers[0]!(410);
  const other = open({ ...bound(subscriptions), list: async () => [] });
  const { created, version } = await other.put('mailer', DEFINITION, { ...HOW, webhook });
  assert.equal(created, true);
  await until('the new one is sent', async () => answers.length === 2);
  const found = await subscriptions.get('mailer');
  assert.deepEqual([found?.version, found?.webhook?.disabledReason], [version, null]);
});

test('what another instance has put is not sent to the old URL', async (t) => {
  const { subscriptions, open, webhook, answers, receiver, reader } = await startBoth(t);
  const better = await WebhookReceiver.start(t);
  const other = open({ ...bound(subscriptions), list: async () => [] });
  await other.put('mailer', DEFINITION, { ...HOW, webhook: { ...webhook, url: better.url } });
  reader.publish('a');
  answers[0]!(200);
  await until('it is sent', async () => better.received.length + receiver.received.length === 2);
  assert.deepEqual([receiver.received.length, better.received.length], [1, 1]);
});

test('what another instance removes or puts between the look and the write is left as it is', async (t) => {
  const { subscriptions, open, webhook } = await startBoth(t);
  /** What comes in between, once. */
  let cross: (() => Promise<unknown>) | undefined;
  const crossed = open({
    ...bound(subscriptions),
    list: async () => [],
    async get(name) {
      const found = await subscriptions.get(name);
      const once = cross;
      cross = undefined;
      await once?.();
      return found;
    },
  });
  const disable = async (between: () => Promise<unknown>) => {
    const { version } = (await subscriptions.get('mailer'))!;
    cross = between;
    await crossed.disable('mailer', version, 'HTTP 410');
  };

  const putOther = () =>
    subscriptions.put('mailer', { ...DEFINITION, webhook: stored(webhook.url) }, HOW.start);
  await disable(putOther);
  const put = await subscriptions.get('mailer');
  assert.deepEqual([put?.webhook?.disabledReason, put?.webhook?.secrets[0]?.secret], [null, 'whsec_other']);

  cross = putOther;
  const secret = await crossed.rotateSecret('mailer', 60_000);
  assert.deepEqual(
    (await subscriptions.get('mailer'))?.webhook?.secrets.map((one) => one.secret),
    [secret, 'whsec_other'],
  );

  await disable(() => subscriptions.remove('mailer'));
  assert.equal(await subscriptions.get('mailer'), undefined);
});

function stored(url: string) {
  const secrets = [{ secret: 'whsec_other', untilMs: null }];
  return { url, concurrency: 1, retryMs: [1000], secrets, disabledReason: null };
}

/** Its methods, for one that replaces some of them. */
function bound(subscriptions: Subscriptions): Deliveries {
  const names = Object.getOwnPropertyNames(Subscriptions.prototype) as (keyof Deliveries)[];
  return Object.fromEntries(
    names.map((name) => [name, subscriptions[name].bind(subscriptions)]),
  ) as unknown as Deliveries;
}
