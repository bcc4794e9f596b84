import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sekali } from './sekali.ts';

test('each call is the request that PROTOCOL.md has for it', async () => {
  const sent: unknown[] = [];
  const answers = async (url: string, { method = 'GET', body, headers }: RequestInit = {}) => {
    const path = url.replace('http://sekali.test', '');
    const conditions = Object.entries(headers ?? {}).filter(([name]) => name.startsWith('if-'));
    sent.push([
      method,
      path,
      ...(typeof body === 'string' ? [JSON.parse(body) as unknown] : []),
      ...conditions.flat(),
    ]);
    return method === 'DELETE'
      ? new Response(null, { status: 204 })
      : Response.json({ answer: path }, { status: method === 'PUT' ? 201 : 200 });
  };
  const { subscriptions } = new Sekali({ url: 'http://sekali.test', fetch: answers as typeof fetch });

  assert.deepEqual(await subscriptions.list({ after: 'a b', limit: 2 }), {
    answer: '/subscriptions?after=a+b&limit=2',
  });
  await subscriptions.get('a/b');
  const put = await subscriptions.put('one', { topics: ['>'], start: { after: 3 } });
  assert.deepEqual(put, { isNew: true, subscription: { answer: '/subscriptions/one' } });
  await subscriptions.put('one', { topics: ['>'], webhook: null }, { ifMatch: 'ab' });
  await subscriptions.put('one', { topics: ['>'] }, { ifNoneMatch: '*' });
  await subscriptions.remove('one');
  await subscriptions.remove('one', { ifMatch: 'ab' });
  await subscriptions.seek('one', { to: 'earliest', dry_run: true });
  await subscriptions.deadLetters('one', { after: 5 });
  await subscriptions.redrive('one', { positions: [5] });
  await subscriptions.discard('one', { all: true });
  await subscriptions.rotateSecret('one');
  await subscriptions.rotateSecret('one', { overlap_ms: 0 });
  assert.deepEqual(sent, [
    ['GET', '/subscriptions?after=a+b&limit=2'],
    ['GET', '/subscriptions/a%2Fb'],
    ['PUT', '/subscriptions/one', { topics: ['>'], start: { after: 3 } }],
    ['PUT', '/subscriptions/one', { topics: ['>'], webhook: null }, 'if-match', '"ab"'],
    ['PUT', '/subscriptions/one', { topics: ['>'] }, 'if-none-match', '*'],
    ['DELETE', '/subscriptions/one'],
    ['DELETE', '/subscriptions/one', 'if-match', '"ab"'],
    ['POST', '/subscriptions/one/seek', { to: 'earliest', dry_run: true }],
    ['GET', '/subscriptions/one/dead-letters?after=5'],
    ['POST', '/subscriptions/one/dead-letters/redrive', { positions: [5] }],
    ['POST', '/subscriptions/one/dead-letters/discard', { all: true }],
    ['POST', '/subscriptions/one/webhook/rotate-secret', {}],
    ['POST', '/subscriptions/one/webhook/rotate-secret', { overlap_ms: 0 }],
  ]);
});

test('another secret is asked for once: each try whose answer got lost would make one', async () => {
  let tries = 0;
  const lost = async () => {
    tries++;
    throw new TypeError('fetch failed');
  };
  const backoff = { firstMs: 1, maxMs: 1 };
  const { subscriptions } = new Sekali({ url: 'http://sekali.test', fetch: lost, backoff, retryForMs: 1000 });
  await assert.rejects(subscriptions.rotateSecret('one'), { code: 'no_answer' });
  assert.equal(tries, 1);
  const left = AbortSignal.abort(new Error('it has left'));
  await assert.rejects(subscriptions.rotateSecret('one', {}, left), /it has left/);
  assert.equal(tries, 1);
});
