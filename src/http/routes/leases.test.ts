import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import type { Deliveries, GivenBack } from '../../deliver/deliveries.ts';
import { Admission } from '../../ingest/admission.ts';
import type { StoredEvent } from '../../store/store-reader.ts';
import type { LeaseRef } from '../../store/subscription-store.ts';
import { FetchLines } from '../fetch-lines.ts';
import { JsonBodies } from '../json-bodies.ts';
import { Lifecycle, type Parts } from '../parts.ts';
import { keepQuery } from '../query.ts';
import { addLeasesRoutes } from './leases.ts';

const EVENT: StoredEvent = {
  position: 7,
  topic: 'a',
  event_id: 'b',
  timestamp: 0,
  source: 'c',
  payload: `{"text":"${'x'.repeat(1000)}"}`,
  processed_at: 0,
  sequence: undefined,
};
const LEASE = '0'.repeat(32);

/** The route alone, with this much room for answers and one event to hand out, again and again. */
async function makeApp(answerBytesMax: number) {
  const givenBack: [leases: readonly LeaseRef[], given: GivenBack][] = [];
  let looks = 0;
  const deliveries: Partial<Deliveries> = {
    async fetch() {
      looks++;
      const events = [{ event: EVENT, attempt: 1 }];
      return { lease: LEASE, leaseMs: 1000, events, nextDueInMs: undefined };
    },
    async nack(_name, leases, given) {
      givenBack.push([leases, given]);
      return leases.map(() => 'done' as const);
    },
  };
  const answers = new Admission({ bytesMax: answerBytesMax, requestsMax: 10 });
  const stored = { onStored: () => () => {} };
  const parts = { deliveries: deliveries as Deliveries, answers, stored, lifecycle: new Lifecycle() };
  const app = Fastify({ routerOptions: { querystringParser: keepQuery } });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  // Of all parts, the route takes these.
  addLeasesRoutes(app, parts as unknown as Parts, { bodies: new JsonBodies(), lines: new FetchLines(parts) });
  await app.ready();
  return { app, answers, givenBack, looks: () => looks };
}

test('events for which there is no room on their way are given back at once', async () => {
  const { app, answers, givenBack } = await makeApp(500);
  const answer = await app.inject({ method: 'POST', url: '/subscriptions/s/fetch' });
  assert.equal(answer.json<{ message: string }>().message.startsWith('too many answers'), true);
  const given = { delayMs: 0, reason: undefined, as: 'untried' };
  assert.deepEqual(givenBack, [[[{ position: 7, lease: LEASE }], given]]);
  assert.deepEqual([answers.bytes, answers.requests], [0, 0]);
  await app.close();
});

test('where there is no room at all, nothing is handed out', async () => {
  const { app, answers, looks } = await makeApp(500);
  const ticket = answers.admit(500);
  assert.equal((await app.inject({ method: 'POST', url: '/subscriptions/s/fetch' })).statusCode, 503);
  assert.equal(looks(), 0);
  ticket?.release();
  await app.close();
});

test('an answer holds its room until it is taken', async () => {
  const { app, answers } = await makeApp(5000);
  const answer = await app.inject({ method: 'POST', url: '/subscriptions/s/fetch' });
  assert.equal(answer.statusCode, 200);
  assert.match(
    answer.body,
    new RegExp(`^{"count":1,"lease":"${LEASE}","lease_ms":1000,"events":\\[{.*,"attempt":1}]}$`),
  );
  assert.deepEqual([answers.bytes, answers.requests], [0, 0]);
  await app.close();
});
