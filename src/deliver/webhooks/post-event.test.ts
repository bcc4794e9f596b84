import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { WebhookReceiver } from '../../../test/support/webhook-receiver.ts';
import { Poster, type PostOutcome } from './post-event.ts';
import { TargetPolicy } from './target-policy.ts';

function makePoster(t: TestContext, allowed: readonly string[] = ['127.0.0.1', 'localhost']) {
  const poster = new Poster(new TargetPolicy(allowed));
  t.after(() => poster.close());
  return (url: string, timeoutMs = 10_000, signal = new AbortController().signal): Promise<PostOutcome> =>
    poster.post({ url, headers: {}, body: '{}', timeoutMs, signal });
}

const failed = (reason: string, isTargetDown: boolean, retryAfterMs?: number) => ({
  kind: 'failed',
  reason,
  retryAfterMs,
  isTargetDown,
});

test('the status of an answer says what becomes of the event', async (t) => {
  const receiver = await WebhookReceiver.start(t);
  const post = makePoster(t);
  const moved = { status: 302, headers: { location: receiver.url, 'retry-after': '5' } };
  for (const [reply, outcome] of [
    [200, { kind: 'delivered' }],
    [299, { kind: 'delivered' }],
    [400, failed('HTTP 400', false)],
    [410, { kind: 'gone', reason: 'HTTP 410' }],
    [429, failed('HTTP 429', true)],
    [500, failed('HTTP 500', true)],
    [moved, failed('HTTP 302: redirects are not followed', false)],
    [{ status: 503, headers: { 'retry-after': '120' } }, failed('HTTP 503', true, 120_000)],
  ] as const) {
    receiver.reply = () => reply;
    assert.deepEqual(await post(receiver.url), outcome);
  }
  assert.equal(receiver.received.length, 8, 'no redirect was followed');
});

test('one connection serves many requests, and one that was closed meanwhile is made anew', async (t) => {
  const receiver = await WebhookReceiver.start(t);
  const post = makePoster(t);
  for (let n = 0; n < 5; n++) await post(receiver.url);
  // The next request may go before the rest of the answer is read: then there are two.
  assert.ok(receiver.connections <= 2, `${receiver.connections} connections`);
  // It closes the connection with the next request, as a server does that closes idle ones just then.
  let isFirst = true;
  receiver.reply = () => {
    if (!isFirst) return 204;
    isFirst = false;
    return (response: ServerResponse) => void response.socket?.destroy();
  };
  assert.deepEqual(await post(receiver.url), { kind: 'delivered' });
});

test('whoever is too slow is given up, whether the answer has begun or not', async (t) => {
  const receiver = await WebhookReceiver.start(t);
  const post = makePoster(t);
  receiver.reply = () => () => {};
  const outcome = await post(receiver.url, 100);
  assert.deepEqual(outcome, {
    kind: 'failed',
    reason: 'no answer within 100 ms',
    retryAfterMs: undefined,
    isTargetDown: true,
  });
  receiver.reply = () => (response: ServerResponse) => void response.writeHead(200).write('a');
  assert.deepEqual(await post(receiver.url, 1000), { kind: 'delivered' }, 'the status has come');
});

test('an answer without an end is cut off', async (t) => {
  const receiver = await WebhookReceiver.start(t);
  const post = makePoster(t);
  const closed = Promise.withResolvers<number>();
  receiver.reply = () => (response: ServerResponse) => {
    let bytes = 0;
    response.writeHead(200);
    const chunk = Buffer.alloc(65_536);
    const more = () => {
      while (!response.destroyed && response.write(chunk)) bytes += chunk.length;
    };
    response.on('drain', more).on('close', () => closed.resolve(bytes));
    more();
  };
  assert.deepEqual(await post(receiver.url), { kind: 'delivered' });
  assert.ok((await closed.promise) < 64 * 1024 * 1024);
});

test('nothing is connected to that is not allowed, whatever its name', async (t) => {
  const receiver = await WebhookReceiver.start(t);
  const { port } = new URL(receiver.url);
  const post = makePoster(t, []);
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433']) {
    for (const scheme of ['http', 'https']) {
      const outcome = await post(`${scheme}://${host}:${port}/`);
      assert.equal(outcome.kind, 'failed', host);
      assert.match(outcome.kind === 'failed' ? outcome.reason : '', /not of the public internet|https URL/);
    }
  }
  assert.equal(receiver.connections, 0);
});

test('a name is looked at when it is connected to, and may be allowed', async (t) => {
  const receiver = await WebhookReceiver.start(t);
  const post = makePoster(t);
  assert.deepEqual(await post(receiver.url.replace('127.0.0.1', 'localhost')), { kind: 'delivered' });
});

test('what was aborted is told apart from what failed', async (t) => {
  const receiver = await WebhookReceiver.start(t);
  const stop = new AbortController();
  receiver.reply = () => () => stop.abort();
  assert.deepEqual(await makePoster(t)(receiver.url, 10_000, stop.signal), { kind: 'aborted' });
});

test('a target that is not there is a failure with a reason', async (t) => {
  const outcome = await makePoster(t)('http://127.0.0.1:1/');
  assert.equal(outcome.kind, 'failed');
  assert.match(outcome.kind === 'failed' ? outcome.reason : '', /ECONNREFUSED/);
});
