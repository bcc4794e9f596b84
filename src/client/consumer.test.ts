import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  FetchAnswer,
  LeasesRequest,
  NackRequest,
  WireDelivery,
} from '../protocol/subscriptions-wire.ts';
import { type ConsumerOptions, type Refusal, Sekali } from './index.ts';

type Call = { action: string; body: Record<string, unknown> };

/** A subscription on which the test hands out what it wants. */
class FakeSubscription {
  readonly calls: Call[] = [];
  leaseMs = 60_000;
  refuse = new Set<number>();
  /** Answers to come that get lost on their way. */
  lost: string[] = [];
  readonly #pending: WireDelivery[] = [];
  #leases = 0;
  #changed = Promise.withResolvers<void>();

  add(...deliveries: WireDelivery[]): void {
    this.#pending.push(...deliveries);
    this.#change();
  }

  /** Resolves when the calls say so. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#changed.promise;
  }

  positions(action: string): number[] {
    return this.calls
      .filter((call) => call.action === action)
      .flatMap(({ body }) => positionsOf(body as LeasesRequest));
  }

  readonly fetch = (async (url: string, { method, body, signal }: RequestInit) => {
    const action = method === 'PUT' ? 'put' : (url.split('/').pop() ?? '');
    const members = JSON.parse(body as string) as Record<string, unknown>;
    this.calls.push({ action, body: members });
    this.#change();
    if (this.lost[0] === action) {
      this.lost.shift();
      throw new Error('the answer was lost');
    }
    if (action === 'put') return Response.json({});
    if (action === 'fetch') return Response.json(await this.#handOut(Number(members['max']), signal!));
    const positions = positionsOf(members as LeasesRequest);
    const refused = positions
      .filter((position) => this.refuse.has(position))
      .map((position) => ({ position, code: 'lease_stale', detail: 'settled before' }));
    return Response.json({ counted: positions.length - refused.length, refused });
  }) as typeof fetch;

  async #handOut(max: number, signal: AbortSignal): Promise<FetchAnswer> {
    signal.addEventListener('abort', () => this.#change());
    await this.until(() => this.#pending.length > 0 || signal.aborted);
    signal.throwIfAborted();
    const events = this.#pending.splice(0, max);
    return { count: events.length, lease: `lease-${++this.#leases}`, lease_ms: this.leaseMs, events };
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function positionsOf(body: LeasesRequest | NackRequest): number[] {
  return 'leases' in body ? body.leases.map(({ position }) => position) : body.positions;
}

function delivery(position: number): WireDelivery {
  const times = { timestamp: '2026-01-31T12:00:00.000000Z', processed_at: '2026-01-31T12:00:00.000000Z' };
  return {
    position,
    topic: 'orders',
    event_id: `e${position}`,
    source: 's',
    payload: {},
    attempt: 1,
    ...times,
  };
}

function consumer(fake: FakeSubscription, options: ConsumerOptions = {}) {
  const client = new Sekali({ url: 'http://test', fetch: fake.fetch, backoff: { firstMs: 0, maxMs: 0 } });
  return client.consumer('mailer', options);
}

test('who returns acknowledges, who throws gives back with the reason', async () => {
  const fake = new FakeSubscription();
  fake.add(delivery(1), delivery(2), delivery(3));
  const stop = new AbortController();
  const seen: string[] = [];
  const running = consumer(fake, { topics: ['orders.>'], ackWaitMs: 5000, start: 'latest' }).run(
    (event, { attempt, position, subscription }) => {
      assert.equal('attempt' in event, false);
      seen.push(`${subscription} ${event.event_id} ${position} ${attempt}`);
      if (position === 2) throw new Error('the mail server is away');
    },
    { signal: stop.signal },
  );
  await fake.until(() => fake.positions('ack').length === 2 && fake.positions('nack').length === 1);
  stop.abort();
  await running;
  assert.deepEqual(seen, ['mailer e1 1 1', 'mailer e2 2 1', 'mailer e3 3 1']);
  assert.deepEqual(fake.calls[0], {
    action: 'put',
    body: { topics: ['orders.>'], start: 'latest', ack_wait_ms: 5000 },
  });
  assert.deepEqual(fake.positions('ack'), [1, 3]);
  const nack = fake.calls.find(({ action }) => action === 'nack');
  assert.ok(nack);
  assert.equal(nack.body['reason'], 'the mail server is away');
  assert.equal(nack.body['delay_ms'], undefined);
});

test('no more handlers run at once than asked for, and no more is held than they and the prefetch', async () => {
  const fake = new FakeSubscription();
  fake.add(...Array.from({ length: 100 }, (_, i) => delivery(i + 1)));
  const stop = new AbortController();
  let running = 0;
  let most = 0;
  const ran = consumer(fake, { concurrency: 4, prefetch: 2 }).run(
    async () => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
    },
    { signal: stop.signal },
  );
  await fake.until(() => fake.positions('ack').length === 100);
  stop.abort();
  await ran;
  assert.equal(most, 4);
  for (const { action, body } of fake.calls) if (action === 'fetch') assert.ok(Number(body['max']) <= 6);
});

test('a stop finishes what runs, and gives back at once what has not begun', async () => {
  const fake = new FakeSubscription();
  fake.add(delivery(1), delivery(2));
  const stop = new AbortController();
  const release = Promise.withResolvers<void>();
  const ran = consumer(fake, { prefetch: 1 }).run(
    async () => {
      stop.abort();
      await release.promise;
    },
    { signal: stop.signal },
  );
  await fake.until(() => fake.positions('nack').length === 1);
  assert.deepEqual(fake.positions('ack'), []);
  release.resolve();
  await ran;
  assert.deepEqual(fake.positions('nack'), [2]);
  assert.equal(fake.calls.find(({ action }) => action === 'nack')?.body['untried'], true);
  assert.deepEqual(fake.positions('ack'), [1]);
});

test('a handler may say that no attempt can help, and be heard whatever it does then', async () => {
  const fake = new FakeSubscription();
  fake.add(delivery(1), delivery(2));
  const stop = new AbortController();
  const running = consumer(fake).run(
    (event, { deadLetter }) => {
      if (event.event_id === 'e1') deadLetter('no such customer');
      try {
        deadLetter('no such product');
      } catch {
        // as one does that goes on after any error
      }
    },
    { signal: stop.signal },
  );
  await fake.until(() => fake.positions('nack').length === 2);
  stop.abort();
  await running;
  const nacks = fake.calls.filter(({ action }) => action === 'nack').map(({ body }) => body);
  assert.deepEqual(
    nacks.map(({ reason, dead }) => [reason, dead]),
    [
      ['no such customer', true],
      ['no such product', true],
    ],
  );
  assert.ok(nacks.every((body) => !('delay_ms' in body)));
  assert.deepEqual(fake.positions('ack'), []);
});

test('the leases of what runs and of what waits for its turn are extended', async () => {
  const fake = new FakeSubscription();
  fake.leaseMs = 20;
  fake.add(delivery(1), delivery(2));
  const stop = new AbortController();
  const ran = consumer(fake, { prefetch: 1 }).run(
    async () => await fake.until(() => fake.positions('extend').length >= 4),
    { signal: stop.signal },
  );
  await fake.until(() => fake.positions('ack').length === 2);
  stop.abort();
  await ran;
  assert.deepEqual(fake.positions('extend').slice(0, 4), [1, 2, 1, 2]);
});

test('a lease that is lost aborts its handler, is told, and is not settled; nor does one begin that is lost', async () => {
  const fake = new FakeSubscription();
  fake.leaseMs = 20;
  fake.refuse = new Set([1, 2]);
  fake.add(delivery(1), delivery(2));
  const stop = new AbortController();
  const refusals: Refusal[] = [];
  const began: number[] = [];
  const onRefused = (refusal: Refusal) => void refusals.push(refusal);
  await consumer(fake, { prefetch: 1, onRefused }).run(
    async (_event, { signal, position }) => {
      began.push(position);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      stop.abort();
    },
    { signal: stop.signal },
  );
  assert.deepEqual(began, [1]);
  assert.deepEqual(
    refusals.map(({ action, position, code }) => [action, position, code]),
    [
      ['extend', 1, 'lease_stale'],
      ['extend', 2, 'lease_stale'],
    ],
  );
  assert.deepEqual([fake.positions('ack'), fake.positions('nack')], [[], []]);
});

test('a handler that takes too long loses its event', async () => {
  const fake = new FakeSubscription();
  fake.leaseMs = 20;
  fake.add(delivery(1));
  const stop = new AbortController();
  const refusals: Refusal[] = [];
  const onRefused = (refusal: Refusal) => {
    refusals.push(refusal);
    stop.abort();
  };
  await consumer(fake, { handlerMs: 5, onRefused }).run(
    async (_event, { signal }) => await new Promise((resolve) => signal.addEventListener('abort', resolve)),
    { signal: stop.signal },
  );
  assert.equal(refusals[0]?.code, 'handler_slow');
});

test('an ack that did not count is told; one that was repeated may have', async () => {
  const fake = new FakeSubscription();
  fake.refuse = new Set([1, 2]);
  fake.add(delivery(1));
  const stop = new AbortController();
  const refusals: Refusal[] = [];
  const onRefused = (refusal: Refusal) => {
    refusals.push(refusal);
    fake.lost = ['ack'];
    fake.add(delivery(2));
    if (refusals.length === 2) stop.abort();
  };
  await consumer(fake, { onRefused }).run(() => {}, { signal: stop.signal });
  assert.deepEqual(
    refusals.slice(0, 2).map(({ action, event_id, mayHaveCounted }) => [action, event_id, mayHaveCounted]),
    [
      ['ack', 'e1', false],
      ['ack', 'e2', true],
    ],
  );
});

test('a server that is away is waited for; one that knows no such subscription is not', async () => {
  const fake = new FakeSubscription();
  fake.lost = ['fetch', 'fetch'];
  fake.add(delivery(1));
  const answers = [Response.json({ code: 'subscription_unknown', detail: 'no' }, { status: 404 })];
  const fetch = (async (url: string, init: RequestInit) =>
    (fake.positions('ack').length > 0 && answers.pop()) ||
    (await fake.fetch(url, init))) as typeof globalThis.fetch;
  const client = new Sekali({ url: 'http://test', fetch, retryForMs: 0, backoff: { firstMs: 0, maxMs: 0 } });
  await assert.rejects(
    client.consumer('mailer', { prefetch: 0 }).run(() => {}),
    { code: 'subscription_unknown' },
  );
  assert.deepEqual(fake.positions('ack'), [1]);
});
