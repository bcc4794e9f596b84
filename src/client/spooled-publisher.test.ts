/** The publisher with a spool on disk, against a server that does as it is told. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { tempDir } from '../../test/support/temp-dir.ts';
import { until } from '../../test/support/until.ts';
import type { WireEvent } from '../protocol/wire.ts';
import { diskSpool } from './disk-spool/disk-spool.ts';
import { type ClientError, type PublisherOptions, Sekali, type SekaliOptions } from './index.ts';

const QUICK = { firstMs: 1, maxMs: 5 };

/** Answers each request by what it is told last, and keeps what it has taken. */
class ToldServer {
  readonly taken: string[] = [];
  requests = 0;
  answer: (events: readonly WireEvent[]) => Response | undefined | Promise<undefined> = () => undefined;

  readonly fetch = (async (_url: string, { body }: RequestInit) => {
    this.requests++;
    const events = JSON.parse(body as string) as WireEvent[];
    const refusal = await this.answer(events);
    if (refusal && !refusal.ok) return refusal;
    this.taken.push(...events.map(({ event_id }) => event_id));
    return refusal ?? Response.json({ errors: [] });
  }) as unknown as typeof fetch;
}

const throws = () => {
  throw new Error('no logger');
};
const away = () => Response.json({ code: 'store_unavailable' }, { status: 503 });

interface Prepared {
  readonly server: ToldServer;
  readonly dir: string;
  readonly publisher: (options?: PublisherOptions, client?: SekaliOptions) => ReturnType<Sekali['publisher']>;
}

function prepare(t: TestContext): Prepared {
  const server = new ToldServer();
  const dir = tempDir(t);
  const publisher = (options: PublisherOptions = {}, client: SekaliOptions = {}) =>
    new Sekali({ source: 's', fetch: server.fetch, retryForMs: 0, backoff: QUICK, ...client }).publisher({
      lingerMs: 0,
      spool: diskSpool(dir),
      ...options,
    });
  return { server, dir, publisher };
}

test('an outage is sat out, however long the client would try again', async (t) => {
  const { server, publisher } = prepare(t);
  server.answer = away;
  const out = publisher();
  for (const event_id of ['a', 'b', 'c']) await out.send('orders', { event_id, payload: {} });
  await until('it was tried ten times', async () => server.requests >= 10);
  server.answer = () => undefined;
  await out.close();
  assert.deepEqual(server.taken, ['a', 'b', 'c']);
});

test('what is left at the end is sent first by the next publisher, with the same ids', async (t) => {
  const { server, publisher } = prepare(t);
  server.answer = away;
  const first = publisher();
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push(await first.send('orders', { payload: { i } }));
  await assert.rejects(first.flush({ signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  await first.close({ signal: AbortSignal.abort() });
  await first.close();
  assert.deepEqual(server.taken, []);
  server.answer = () => undefined;
  const second = publisher();
  await until('what was left is sent', async () => server.taken.length === 5);
  ids.push(await second.send('orders', { payload: {} }));
  await second.close();
  assert.deepEqual(server.taken, ids);
});

test('close leaves when nothing is answered for five seconds', async (t) => {
  const { server, publisher } = prepare(t);
  server.answer = away;
  const waits: number[] = [];
  const clock = {
    nowMs: Date.now,
    wait: async (ms: number) => {
      waits.push(ms);
      await new Promise(setImmediate);
    },
  };
  const warnings: string[] = [];
  const out = publisher({}, { clock, log: { warn: (message) => warnings.push(message) } });
  await out.send('orders', { payload: {} });
  await out.close();
  assert.ok(waits.includes(5000));
  const left = 'the publisher was closed before all in its spool was answered: the rest is left there';
  assert.deepEqual(warnings, [`sekali: ${left}`]);
});

test('a publisher that has left events says so: to the callback, and to whoever flushes then', async (t) => {
  const { server, publisher } = prepare(t);
  server.answer = away;
  const told: string[] = [];
  const out = publisher({ onSpoolError: ({ code }) => told.push(code) });
  await out.send('orders', { payload: {} });
  const pending = assert.rejects(out.flush(), { code: 'publisher_closed' });
  await out.close({ signal: AbortSignal.abort() });
  await pending;
  await assert.rejects(out.flush(), { code: 'publisher_closed' });
  await out.close();
  assert.deepEqual(told, ['publisher_closed']);
});

test('a publisher that has left nothing has nothing to say', async (t) => {
  const { publisher } = prepare(t);
  const told: string[] = [];
  const out = publisher({ onSpoolError: ({ code }) => told.push(code) });
  await out.send('orders', { payload: {} });
  await out.close();
  await out.flush();
  assert.deepEqual(told, []);
});

test('what was aborted lets go of the directory by itself', async (t) => {
  const { server, publisher } = prepare(t);
  server.answer = away;
  const first = publisher();
  await first.send('orders', { event_id: 'a', payload: {} });
  first.abort();
  await assert.rejects(first.flush(), { code: 'publisher_closed' });
  server.answer = () => undefined;
  const second = publisher();
  await until('it is free', () => second.send('orders', { event_id: 'b', payload: {} }).catch(() => false));
  await second.close();
  assert.deepEqual(server.taken, ['a', 'b']);
});

test('a spool has one publisher', async (t) => {
  const { dir, publisher } = prepare(t);
  const spool = diskSpool(dir);
  const out = publisher({ spool });
  assert.throws(() => publisher({ spool }), { code: 'option_invalid', message: /make another/ });
  await out.close();
  assert.throws(() => publisher({ spool }), { code: 'option_invalid' });
});

test('a callback that throws in an outage costs no event', async (t) => {
  const { server, dir, publisher } = prepare(t);
  server.answer = away;
  const out = publisher({}, { onRetry: throws });
  await out.send('orders', { event_id: 'a', payload: {} });
  await until('it was tried again', async () => server.requests >= 3);
  server.answer = () => undefined;
  await out.close();
  assert.deepEqual(server.taken, ['a']);
  assert.equal(existsSync(join(dir, 'refused.ndjson')), false);
});

test('what fails in the client itself refuses no event: it is sent again', async (t) => {
  const { server, dir, publisher } = prepare(t);
  server.answer = away;
  let isBroken = true;
  const clock = {
    nowMs: Date.now,
    wait: async () => {
      await new Promise(setImmediate);
      if (isBroken) throw new Error('no clock');
    },
  };
  const told: string[] = [];
  const out = publisher({ onSpoolError: ({ message }) => told.push(message) }, { clock });
  await out.send('orders', { event_id: 'a', payload: {} });
  await assert.rejects(out.flush(), { code: 'spool_failed', message: 'the spool failed: no clock' });
  isBroken = false;
  server.answer = () => undefined;
  await out.flush();
  assert.deepEqual(server.taken, ['a']);
  assert.equal(existsSync(join(dir, 'refused.ndjson')), false);
  assert.ok(told.includes('the spool failed: no clock'));
  await out.close();
});

test('flush waits for what an earlier process has left, and not for what is sent meanwhile', async (t) => {
  const { server, publisher } = prepare(t);
  server.answer = away;
  const first = publisher();
  for (const event_id of ['a', 'b', 'c']) await first.send('orders', { event_id, payload: {} });
  await first.close({ signal: AbortSignal.abort() });
  const second = publisher({ maxBatch: 1 });
  await second.send('orders', { event_id: 'd', payload: {} });
  let more = 0;
  // There is one more before any is taken: the spool is not empty before the last of them.
  server.answer = async () => {
    if (more < 50) await second.send('orders', { event_id: `more-${++more}`, payload: {} });
    return undefined;
  };
  await second.flush();
  assert.deepEqual(server.taken.slice(0, 4), ['a', 'b', 'c', 'd']);
  assert.ok(more < 50, 'it has waited for the others');
  more = 50;
  await second.close();
});

test('while a refusal cannot be kept its event is told once, sent once, and what comes meanwhile does not hasten it', async (t) => {
  const { server, dir, publisher } = prepare(t);
  const waits: number[] = [];
  const clock = {
    nowMs: Date.now,
    wait: (ms: number, signal?: AbortSignal) => {
      waits.push(ms);
      return once(signal!, 'abort').then(() => undefined);
    },
  };
  server.answer = () =>
    Response.json({ errors: [{ index: 0, event_id: 'bad', code: 'topic_invalid', detail: 'no' }] });
  mkdirSync(join(dir, 'refused.ndjson'));
  const failed: string[] = [];
  const out = publisher(
    { maxBatch: 1, onFailure: (_, { event_id }) => failed.push(event_id) },
    { clock, backoff: { firstMs: 1, maxMs: 5000 } },
  );
  await out.send('orders', { event_id: 'bad', payload: {} });
  await until('it waits', async () => waits.length === 1);
  for (let i = 0; i < 5; i++) await out.send('orders', { event_id: `good-${i}`, payload: {} });
  assert.deepEqual(waits, [5000]);
  await assert.rejects(out.flush(), { code: 'spool_failed' });
  assert.deepEqual([failed, server.requests], [['bad'], 1]);
  rmSync(join(dir, 'refused.ndjson'), { recursive: true });
  server.answer = () => undefined;
  await assert.rejects(out.flush(), { code: 'events_not_taken', message: /^1 events/ });
  assert.equal(server.taken.length, 6);
  assert.equal(readFileSync(join(dir, 'refused.ndjson'), 'utf8').match(/\n/g)?.length, 1);
  await out.close();
});

test('send that fails tells the id that it has made', async (t) => {
  const { server, publisher } = prepare(t);
  server.answer = away;
  const owner = publisher();
  await owner.send('orders', { payload: {} });
  const second = publisher();
  await assert.rejects(second.send('orders', { payload: {} }), (error: ClientError) => {
    assert.equal(error.code, 'spool_in_use');
    const [{ event_id }] = error.details as [{ event_id: string }];
    assert.match(event_id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    return true;
  });
  owner.abort();
  second.abort();
});

test('a wrong key holds all up and refuses nothing; flush and close say so', async (t) => {
  const { server, publisher } = prepare(t);
  server.answer = () => Response.json({ code: 'key_wrong', detail: 'no' }, { status: 401 });
  const out = publisher();
  await out.send('orders', { event_id: 'a', payload: {} });
  await assert.rejects(out.flush(), { name: 'RequestError', code: 'key_wrong' });
  await assert.rejects(out.close(), { code: 'key_wrong' });
  server.answer = () => undefined;
  await publisher().close();
  assert.deepEqual(server.taken, ['a']);
});

test('what the server refuses is told and kept, and holds up nothing behind it', async (t) => {
  const { server, dir, publisher } = prepare(t);
  server.answer = (events) => {
    if (events.length > 1) return Response.json({ code: 'body_too_large', detail: 'no' }, { status: 413 });
    return events[0]?.event_id === 'b'
      ? Response.json({ code: 'json_invalid', detail: 'never' }, { status: 400 })
      : undefined;
  };
  const failed: string[] = [];
  const out = publisher({ onFailure: ({ code }, { event_id }) => failed.push(`${event_id} ${code}`) });
  await Promise.all(['a', 'b', 'c'].map((event_id) => out.send('orders', { event_id, payload: {} })));
  await assert.rejects(out.close(), { code: 'events_not_taken', message: '1 events were not taken: never' });
  assert.deepEqual(failed, ['b json_invalid']);
  assert.deepEqual(server.taken, ['a', 'c']);
  const kept = JSON.parse(readFileSync(join(dir, 'refused.ndjson'), 'utf8')) as { event: WireEvent };
  assert.equal(kept.event.event_id, 'b');
});

test('a page of something else that answers 200 holds all up; flush says so', async (t) => {
  const { server, publisher } = prepare(t);
  server.answer = () => new Response('<html>welcome</html>');
  const out = publisher();
  await out.send('orders', { event_id: 'a', payload: {} });
  await assert.rejects(out.flush(), { name: 'RequestError', code: 'answer_invalid', status: 200 });
  await until('it was tried again', async () => server.requests >= 3);
  server.taken.length = 0;
  server.answer = () => undefined;
  await out.close();
  assert.deepEqual(server.taken, ['a']);
});

test('a directory that is in use is told by send, flush and the callback; it is tried again', async (t) => {
  const { server, publisher } = prepare(t);
  const owner = publisher();
  await owner.send('orders', { event_id: 'a', payload: {} });
  const told: string[] = [];
  const second = publisher({ onSpoolError: ({ code }) => told.push(code) });
  await assert.rejects(second.send('orders', { payload: {} }), { code: 'spool_in_use' });
  await assert.rejects(second.flush(), { code: 'spool_in_use' });
  assert.ok(told.includes('spool_in_use'));
  await owner.close();
  await second.send('orders', { event_id: 'b', payload: {} });
  await second.close();
  assert.deepEqual(server.taken, ['a', 'b']);
});

test('damage is told by flush and the callback, once, and the rest is sent', async (t) => {
  const { server, dir, publisher } = prepare(t);
  const spool = diskSpool(dir);
  const signal = new AbortController().signal;
  for (const id of ['a', 'b', 'c']) await spool.append(JSON.stringify({ topic: 't', event_id: id }), signal);
  await spool.close();
  const file = join(dir, '0000000000000001.spool');
  const bytes = readFileSync(file);
  const at = bytes.indexOf('"b"');
  writeFileSync(file, bytes.fill('X', at + 1, at + 2));
  const told: ClientError[] = [];
  const out = publisher({ onSpoolError: (error) => told.push(error) });
  await assert.rejects(out.flush(), (error: ClientError) => {
    assert.equal(error.code, 'spool_damaged');
    assert.deepEqual(error.details, told);
    return true;
  });
  assert.equal(told.length, 1);
  assert.deepEqual(server.taken, ['a', 'c']);
  await out.close();
});
