/** Subscriptions move with their store: who had what of them goes on where it was, and nothing comes twice that was acknowledged. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type {
  DeadLettersAnswer,
  FetchAnswer,
  RotateSecretAnswer,
  SettledAnswer,
  SubscriptionAnswer,
} from '../../src/protocol/subscriptions-wire.ts';
import { send } from '../support/http.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { runCli } from '../support/process.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { useServices } from '../support/services/services.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { verifiedBy, WebhookReceiver } from '../support/webhook-receiver.ts';

const services = useServices('postgres');
const env = { SEKALI_WEBHOOK_ALLOW: '127.0.0.1' };

async function call<T = unknown>(
  { url }: ServerProcess,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const json =
    body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await send(url, `/subscriptions${path}`, { method, ...json });
  assert.ok(answer.status < 300, answer.text);
  return answer.json() as T;
}

const fetchBilling = (server: ServerProcess, max: number) =>
  call<FetchAnswer>(server, 'POST', '/billing/fetch', { max });

/** Of six events: acknowledged, leased, dead, waiting for an hour, waiting and due, and not handed out yet. */
async function handOut(server: ServerProcess): Promise<{ lease: string | null; positions: number[] }> {
  await call(server, 'PUT', '/billing', { topics: ['orders'], ack_wait_ms: 3_600_000 });
  const { lease } = await fetchBilling(server, 2);
  await call(server, 'POST', '/billing/ack', { lease, positions: [1] });
  const given = { 3: { dead: true }, 4: { delay_ms: 3_600_000 }, 5: { delay_ms: 0 } };
  const leases = await fetchBilling(server, 3);
  for (const [position, how] of Object.entries(given)) {
    const positions = [Number(position)];
    await call(server, 'POST', '/billing/nack', { lease: leases.lease, positions, reason: 'no', ...how });
  }
  return { lease, positions: [2] };
}

/** One webhook that has taken all, with a secret that was replaced just now, and one that is disabled. */
async function sendOut(t: TestContext, server: ServerProcess) {
  const receivers = { mailer: await WebhookReceiver.start(t), gone: await WebhookReceiver.start(t) };
  receivers.gone.reply = () => 410;
  const secrets: string[] = [];
  for (const [name, { url }] of Object.entries(receivers)) {
    const made = await call<SubscriptionAnswer>(server, 'PUT', `/${name}`, {
      topics: ['orders'],
      webhook: { url },
    });
    secrets.push(made.webhook?.secret ?? '');
  }
  await until('all is sent', async () => {
    const mailer = await call<SubscriptionAnswer>(server, 'GET', '/mailer');
    const gone = await call<SubscriptionAnswer>(server, 'GET', '/gone');
    return (
      receivers.mailer.received.length === 6 &&
      mailer.leased + mailer.waiting === 0 &&
      gone.leased === 0 &&
      gone.webhook?.state === 'disabled'
    );
  });
  const rotated = await call<RotateSecretAnswer>(server, 'POST', '/mailer/webhook/rotate-secret', {
    overlap_ms: 3_600_000,
  });
  return { ...receivers, secrets: [rotated.secret, secrets[0]!] };
}

function subscriptionLines(text: string): string[] {
  return text.split('\n').filter((line) => /^\{"kind":"(subscription|delivery)"/.test(line));
}

describe('subscriptions', services.options, () => {
  test('what was acknowledged comes no more; what was leased, waits, is dead or pending goes on', async (t) => {
    const dataDir = tempDir(t);
    const server = await startServerProcess(t, { dataDir, env });
    await server.client().publish(makeEvents(6));
    const hooks = await sendOut(t, server);
    const leased = await handOut(server);
    const before = await told(server);
    await server.stop();
    const { stdout, stderr } = await runCli(['export', '--data', dataDir]);
    assert.match(stderr, / 3 subscriptions, /);

    const [first, second] = [await services.postgres(), await services.postgres()];
    const imported = await runCli(['import', '--database-url', first], { input: stdout });
    assert.equal(imported.code, 0, imported.stderr);
    const again = await runCli(['export', '--database-url', first]);
    assert.deepEqual(subscriptionLines(again.stdout), subscriptionLines(stdout));
    const further = await runCli(['import', '--database-url', second], { input: again.stdout });
    assert.equal(further.code, 0, further.stderr);

    const moved = await startServerProcess(t, {
      dataDir: tempDir(t),
      env: { ...env, DATABASE_URL: second },
    });
    const [billing, ...others] = before.subscriptions;
    assert.deepEqual([billing?.leased, billing?.waiting, billing?.dead], [1, 2, 1]);
    assert.deepEqual(await told(moved), {
      ...before,
      subscriptions: [{ ...billing, leased: 0, waiting: 3 }, ...others],
    });
    const stale = await call<SettledAnswer>(moved, 'POST', '/billing/ack', leased);
    assert.deepEqual([stale.counted, stale.refused[0]?.code], [0, 'lease_stale']);
    const { lease, events } = await fetchBilling(moved, 10);
    assert.deepEqual(
      events.map(({ position, attempt }) => [position, attempt]),
      [
        [2, 2],
        [5, 2],
        [6, 1],
      ],
    );
    await call(moved, 'POST', '/billing/ack', { lease, positions: [2, 5, 6] });
    assert.equal((await fetchBilling(moved, 10)).count, 0);

    await moved.client().publish([makeEvent({ event_id: 'new' })]);
    await until('it is sent', async () => hooks.mailer.received.length > 6);
    assert.deepEqual(hooks.mailer.ids.slice(6), ['new']);
    assert.deepEqual(
      hooks.secrets.map((secret) => verifiedBy(secret, hooks.mailer.received[6]!)),
      [[0], [1]],
    );
    await call(moved, 'PUT', '/later', { topics: ['orders'] });
    assert.equal((await call<FetchAnswer>(moved, 'POST', '/later/fetch', { max: 10 })).count, 7);
  });
});

async function told(server: ServerProcess) {
  const list = await call<{ subscriptions: SubscriptionAnswer[] }>(server, 'GET', '');
  const dead = await call<DeadLettersAnswer>(server, 'GET', '/billing/dead-letters');
  return { subscriptions: list.subscriptions, dead };
}
