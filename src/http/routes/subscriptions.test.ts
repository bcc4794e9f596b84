import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import type { PutAnswer } from '../../deliver/webhooks/webhooks.ts';
import type { WireSubscription } from '../../protocol/subscriptions-wire.ts';
import { FetchLines } from '../fetch-lines.ts';
import { JsonBodies } from '../json-bodies.ts';
import { Lifecycle, type Parts } from '../parts.ts';
import { keepQuery } from '../query.ts';
import { addSubscriptionsRoutes } from './subscriptions.ts';

const PUT: PutAnswer = {
  created: true,
  name: 's',
  version: '0'.repeat(32),
  topics: ['a.*'],
  ackWaitMs: 1000,
  attemptsMax: 3,
  inFlightMax: 100,
  backoff: { firstMs: 100, maxMs: 1000 },
  ordered: false,
  webhook: {
    url: 'https://sekali.example/hook',
    concurrency: 1,
    retryMs: [1000],
    secrets: [{ secret: 'whsec_a', untilMs: null }],
    disabledReason: null,
  },
  cursor: 7,
  leased: 0,
  waiting: 0,
  dead: 0,
  oldestOutstanding: undefined,
  createdAtMs: 0,
  secret: 'whsec_a',
};

/** The routes alone, over a subscription that somebody removes as soon as it is put. */
async function makeApp() {
  const deliveries = { get: async () => undefined };
  const webhooks = {
    put: async () => PUT,
    status: () => ({ state: 'active', reason: undefined, failures: 0, nextTryInMs: undefined }),
  };
  const stored = { onStored: () => () => {} };
  // Of all parts, the routes take these.
  const parts = { deliveries, webhooks, stored, lifecycle: new Lifecycle() } as unknown as Parts;
  const app = Fastify({ routerOptions: { querystringParser: keepQuery } });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  addSubscriptionsRoutes(app, parts, { bodies: new JsonBodies(), lines: new FetchLines(parts) });
  await app.ready();
  return app;
}

test('a put that was done is answered so, with the secret, also if it is removed at once', async () => {
  const app = await makeApp();
  const payload = { topics: ['a.*'], webhook: { url: 'https://sekali.example/hook' } };
  const answer = await app.inject({ method: 'PUT', url: '/subscriptions/s', payload });
  assert.equal(answer.statusCode, 201, answer.body);
  const { name, topics, webhook, version, cursor } = answer.json<WireSubscription>();
  assert.deepEqual([name, topics, cursor, webhook?.secret], ['s', ['a.*'], 7, 'whsec_a']);
  assert.equal(answer.headers['etag'], `"${version}"`);
  await app.close();
});
