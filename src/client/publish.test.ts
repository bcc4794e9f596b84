import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireEvent } from '../protocol/wire.ts';
import { type ClientError, RequestError, Sekali, type StandardSchema } from './index.ts';

interface Order {
  total: number;
}

/** What a server was sent, and answers as it is told to. */
function recorder(...answers: (Response | Error)[]) {
  const sent: { url: string; headers: Record<string, string>; events: WireEvent[] }[] = [];
  const fake = async (url: string, init: RequestInit) => {
    const headers = init.headers as Record<string, string>;
    sent.push({ url, headers, events: JSON.parse(init.body as string) as WireEvent[] });
    const answer = answers.shift();
    if (answer instanceof Response) return answer;
    throw answer ?? new Error('nobody is there');
  };
  return { sent, fetch: fake as typeof fetch };
}

const stored = (verdict = 'stored') =>
  Response.json({ errors: [], results: [{ index: 0, verdict, event_id: 'x', position: 7 }] });

const quick = { firstMs: 0, maxMs: 0 };
const positive: StandardSchema<Order> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      (value as Order).total > 0
        ? { value: { total: Math.round((value as Order).total) } }
        : { issues: [{ message: 'must be positive', path: ['total'] }] },
  },
};

test('id and time are made before the first attempt, and kept over every retry', async () => {
  const lost = new Error('the answer was lost');
  const { sent, fetch } = recorder(lost, new Response('', { status: 503 }), stored('duplicate'));
  const sekali = new Sekali({ url: 'http://test/', source: 'billing', fetch, backoff: quick });
  const receipt = await sekali.publish('orders', { payload: { total: 1 } });
  assert.equal(receipt.verdict, 'duplicate');
  assert.equal(receipt.position, 7);
  assert.equal(sent.length, 3);
  for (const { events } of sent) assert.deepEqual(events, sent[0]!.events);
  const [event] = sent[0]!.events;
  assert.equal(receipt.event_id, event?.event_id);
  assert.equal(event?.source, 'billing');
  assert.ok(Math.abs(Date.parse(event.timestamp) - Date.now()) < 60_000);
  assert.equal(sent[0]?.url, 'http://test/publish?results=all');
});

test('what is given is kept; the key and the trace travel as headers', async () => {
  const { sent, fetch } = recorder(stored());
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const sekali = new Sekali({ url: 'http://test', key: 'k', fetch, traceparent: () => traceparent });
  const timestamp = new Date('2026-01-31T12:00:00Z');
  await sekali.publish('orders', { event_id: 'a', timestamp, source: 's', sequence: 3, payload: {} });
  assert.deepEqual(sent[0]?.events, [
    {
      topic: 'orders',
      event_id: 'a',
      timestamp: '2026-01-31T12:00:00.000Z',
      source: 's',
      payload: {},
      sequence: 3,
    },
  ]);
  assert.equal(sent[0]?.headers['authorization'], 'Bearer k');
  assert.equal(sent[0]?.headers['traceparent'], traceparent);
});

test('a payload that its schema refuses is not sent; what the schema makes of one is', async () => {
  const { sent, fetch } = recorder(stored());
  const sekali = new Sekali<{ orders: Order }>({
    source: 's',
    fetch,
    schemas: { orders: positive },
    retryForMs: 0,
  });
  await assert.rejects(sekali.publish('orders', { payload: { total: -1 } }), (error: ClientError) => {
    assert.deepEqual([error.code, error.retryable], ['payload_invalid', false]);
    assert.match(error.message, /total: must be positive/);
    return true;
  });
  await sekali.publish('orders', { payload: { total: 1.6 } });
  assert.deepEqual(sent[0]?.events[0]?.payload, { total: 2 });
  // @ts-expect-error: topics and payloads are those of the type
  await assert.rejects(sekali.publish('order', { payload: { total: 1 } }));
  // @ts-expect-error: a text is no number
  await assert.rejects(sekali.publish('orders', { payload: { total: 'x' } }));
});

test('an event that the server rejects has the code of its rule; a request that is refused that of its problem', async () => {
  const errors = [{ index: 0, event_id: 'a', code: 'timestamp_invalid', detail: 'timestamp must be …' }];
  const refused = Response.json({ code: 'events_invalid', detail: 'none is valid', errors }, { status: 422 });
  const { fetch } = recorder(refused, Response.json({ code: 'key_wrong', detail: 'no' }, { status: 401 }));
  const sekali = new Sekali({ source: 's', fetch });
  const draft = { timestamp: 'yesterday', payload: {} };
  await assert.rejects(sekali.publish('orders', draft), { name: 'ClientError', code: 'timestamp_invalid' });
  await assert.rejects(sekali.publish('orders', draft), (error) => {
    assert.ok(error instanceof RequestError);
    assert.deepEqual([error.code, error.retryable], ['key_wrong', false]);
    return true;
  });
});

test('an event without a source is told before anything is sent', async () => {
  const { sent, fetch } = recorder();
  await assert.rejects(new Sekali({ fetch }).publish('orders', { payload: {} }), { code: 'option_invalid' });
  assert.equal(sent.length, 0);
});
