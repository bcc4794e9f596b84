import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { WireEvent } from '../protocol/wire.ts';
import { type ClientError, type Failure, Sekali } from './index.ts';

/** A server that answers when it is told to. */
class SlowServer {
  readonly requests: { events: WireEvent[]; answer: (response: Response) => void }[] = [];
  #came = Promise.withResolvers<void>();

  readonly fetch = ((_url: string, { body }: RequestInit) => {
    const answered = Promise.withResolvers<Response>();
    this.requests.push({ events: JSON.parse(body as string) as WireEvent[], answer: answered.resolve });
    this.#came.resolve();
    this.#came = Promise.withResolvers();
    return answered.promise;
  }) as unknown as typeof fetch;

  /** The request with this number, once it is there. */
  async request(number: number) {
    while (this.requests.length <= number) await this.#came.promise;
    return this.requests[number]!;
  }
}

const taken = () => Response.json({ errors: [] });
const idsOf = (events: readonly WireEvent[]) => events.map(({ event_id }) => event_id);

function client(server: SlowServer): Sekali {
  return new Sekali({ source: 's', fetch: server.fetch, retryForMs: 0 });
}

test('events go in batches, in their order, one batch after the other', async () => {
  const server = new SlowServer();
  const out = client(server).publisher({ maxBatch: 3, lingerMs: 60_000 });
  for (let i = 0; i < 7; i++) await out.send('orders', { event_id: `e${i}`, payload: { i } });
  const first = await server.request(0);
  assert.deepEqual(idsOf(first.events), ['e0', 'e1', 'e2']);
  assert.equal(server.requests.length, 1);
  first.answer(taken());
  const second = await server.request(1);
  assert.deepEqual(idsOf(second.events), ['e3', 'e4', 'e5']);
  second.answer(taken());
  const closed = out.close();
  const last = await server.request(2);
  assert.deepEqual(idsOf(last.events), ['e6']);
  last.answer(taken());
  await closed;
  await assert.rejects(out.send('orders', { payload: {} }), { code: 'publisher_closed' });
});

test('a batch has no more bytes than allowed, but for an event that is larger alone', async () => {
  const server = new SlowServer();
  const out = client(server).publisher({ maxBytes: 1000, lingerMs: 60_000 });
  const send = (length: number) => out.send('orders', { payload: { text: 'x'.repeat(length) } });
  await send(700);
  await send(700);
  await send(3000);
  const closed = out.close();
  for (let i = 0; i < 3; i++) {
    const { events, answer } = await server.request(i);
    assert.equal(events.length, 1);
    answer(taken());
  }
  await closed;
});

test('send waits while the buffer is full, and goes on when there is room', async () => {
  const server = new SlowServer();
  const out = client(server).publisher({ maxBatch: 1, bufferBytes: 250, lingerMs: 0 });
  const payload = { text: 'x'.repeat(200) };
  await out.send('orders', { event_id: 'a', payload });
  const first = await server.request(0);
  await out.send('orders', { event_id: 'b', payload });
  let isTaken = false;
  const third = out.send('orders', { event_id: 'c', payload }).then(() => (isTaken = true));
  await new Promise(setImmediate);
  assert.equal(isTaken, false);
  const flushed = out.flush();
  first.answer(taken());
  (await server.request(1)).answer(taken());
  await third;
  (await server.request(2)).answer(taken());
  await flushed;
  assert.deepEqual(
    server.requests.flatMap(({ events }) => idsOf(events)),
    ['a', 'b', 'c'],
  );
});

test('flush tells what was not taken, once; good neighbours of a bad event are', async () => {
  const server = new SlowServer();
  const failed: string[] = [];
  const out = client(server).publisher({
    lingerMs: 60_000,
    onFailure: (error, event) => failed.push(`${event.event_id} ${error.code}`),
  });
  for (const event_id of ['a', 'b', 'c']) await out.send('orders', { event_id, payload: {} });
  const flushed = out.flush();
  const errors = [{ index: 1, event_id: 'b', code: 'topic_invalid', detail: 'no' }];
  (await server.request(0)).answer(Response.json({ errors }));
  await assert.rejects(flushed, (error: ClientError) => {
    assert.deepEqual([error.code, error.retryable], ['events_not_taken', false]);
    assert.deepEqual(
      (error.details as Failure[]).map(({ event }) => event.event_id),
      ['b'],
    );
    return true;
  });
  assert.deepEqual(failed, ['b topic_invalid']);
  await out.flush();
});

test('a batch that is too large as a whole is halved', async () => {
  const server = new SlowServer();
  const out = client(server).publisher({ lingerMs: 60_000 });
  for (const event_id of ['a', 'b']) await out.send('orders', { event_id, payload: {} });
  const flushed = out.flush();
  (await server.request(0)).answer(Response.json({ code: 'body_too_large', detail: 'no' }, { status: 413 }));
  (await server.request(1)).answer(taken());
  (await server.request(2)).answer(Response.json({ code: 'event_too_large', detail: 'no' }, { status: 413 }));
  await assert.rejects(flushed, (error: ClientError) => {
    assert.deepEqual(
      (error.details as Failure[]).map(({ event }) => event.event_id),
      ['b'],
    );
    return true;
  });
});

test('an aborted publisher gives up what waits, and says so', async () => {
  const server = new SlowServer();
  const hanging = ((_url: string, { signal }: RequestInit) =>
    new Promise((_, reject) =>
      signal?.addEventListener('abort', () => reject(signal.reason as Error)),
    )) as typeof fetch;
  const out = new Sekali({ source: 's', fetch: hanging }).publisher({ lingerMs: 0 });
  await out.send('orders', { payload: {} });
  out.abort();
  await assert.rejects(out.flush(), { code: 'events_not_taken' });
  assert.equal(server.requests.length, 0);
});

test('flush waits for what was sent before it, not for what others send meanwhile', async () => {
  const server = new SlowServer();
  const out = client(server).publisher({ lingerMs: 0 });
  await out.send('orders', { event_id: 'a', payload: {} });
  const flushed = out.flush();
  const first = await server.request(0);
  await out.send('orders', { event_id: 'b', payload: {} });
  first.answer(taken());
  await flushed;
  (await server.request(1)).answer(taken());
  await out.close();
});

test('a flush that is given up leaves the hurry of another as it is', async () => {
  const server = new SlowServer();
  const out = client(server).publisher({ lingerMs: 60_000 });
  const leave = new AbortController();
  await out.send('orders', { event_id: 'a', payload: {} });
  const first = out.flush({ signal: leave.signal });
  const { answer } = await server.request(0);
  await out.send('orders', { event_id: 'b', payload: {} });
  const second = out.flush();
  leave.abort();
  await assert.rejects(first, { name: 'AbortError' });
  answer(taken());
  (await server.request(1)).answer(taken());
  await second;
  await out.close();
});

test('a flush leaves nothing behind in memory', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heapBytes = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const out = client(new SlowServer()).publisher({ lingerMs: 0 });
  await out.flush();
  const before = heapBytes();
  for (let i = 0; i < 30_000; i++) await out.flush();
  const grownBytes = heapBytes() - before;
  assert.ok(grownBytes < 3e6, `${grownBytes} bytes`);
});

test('a callback that throws changes nothing', async () => {
  let requests = 0;
  const fetch = (async () =>
    requests++ === 0 ? new Response('', { status: 503 }) : taken()) as unknown as typeof globalThis.fetch;
  const warnings: string[] = [];
  const sekali = new Sekali({
    source: 's',
    fetch,
    backoff: { firstMs: 0, maxMs: 0 },
    log: { warn: (message) => warnings.push(message) },
    onRetry: () => {
      throw new Error('no logger');
    },
  });
  const out = sekali.publisher({ lingerMs: 0 });
  await out.send('orders', { payload: {} });
  await out.close();
  assert.equal(requests, 2);
  assert.deepEqual(warnings, ['sekali: a callback threw: no logger']);
});

test('an answer without results is one, also when they are null', async () => {
  const server = new SlowServer();
  const out = client(server).publisher({ lingerMs: 0, onReceipt: () => undefined });
  await out.send('orders', { payload: {} });
  const flushed = out.flush();
  (await server.request(0)).answer(new Response('{"errors":[],"results":null}'));
  await flushed;
  await out.close();
});

test('what answers 200 and is no answer to these events is told as that', async () => {
  const odd = [
    '<html>welcome</html>',
    'null',
    '{"errors":[{"index":7,"code":"topic_invalid","detail":"no"}]}',
    '{"errors":[null]}',
    '{"errors":[],"results":{}}',
  ];
  for (const body of odd) {
    const server = new SlowServer();
    const out = client(server).publisher({ lingerMs: 0, onReceipt: () => undefined });
    await out.send('orders', { payload: {} });
    const flushed = out.flush();
    (await server.request(0)).answer(new Response(body));
    await assert.rejects(flushed, (error: ClientError) => {
      const [{ error: reason }] = error.details as [Failure];
      assert.deepEqual([reason.code, reason.retryable], ['answer_invalid', false], body);
      return true;
    });
  }
});
