import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError, Sekali } from '../../client/index.ts';
import type { Entry } from './batch.ts';
import { Sender } from './sender.ts';
import { ShipReport } from './ship-report.ts';

const ENTRIES: readonly Entry[] = ['a', 'b', 'c'].map((eventId, i) => ({
  file: 'app.log',
  line: i + 1,
  eventId,
  json: `{"event_id":"${eventId}"}`,
  lacks: [],
}));

/** A sender whose requests are answered with these, one after the other. */
function prepare(...answers: readonly [status: number, body: unknown][]) {
  const asked: string[] = [];
  const told: string[] = [];
  const client = new Sekali({
    url: 'http://server',
    retryForMs: 0,
    fetch: async (url) => {
      const [status, body] = answers[asked.length]!;
      asked.push((url as string).replace('http://server', ''));
      return Response.json(body, { status });
    },
  });
  const report = new ShipReport((text) => told.push(text));
  const giveUp = new AbortController().signal;
  const sender = new Sender({ client, topic: 'logs', report, tellsConflicts: false, giveUp });
  return { asked, told, report, sender };
}

function accepted(count: number, ...rejected: number[]) {
  const errors = rejected.map((index) => ({ index, event_id: null, code: 'odd', detail: 'it is odd' }));
  return {
    count,
    processed: count - rejected.length,
    duplicates: 0,
    conflicts: 0,
    rejected: rejected.length,
    errors,
  };
}

test('events are taken for shipped when they are stored, not when a queue has them', async () => {
  const { asked, sender } = prepare([200, accepted(3)]);
  assert.equal(await sender.send(ENTRIES), 'c');
  assert.deepEqual(asked, ['/publish?ack=stored']);
});

test('the last event that the server has is not one that it rejected', async () => {
  const { told, sender } = prepare([200, accepted(3, 2)]);
  assert.equal(await sender.send(ENTRIES), 'b');
  assert.deepEqual(told, ['sekali: app.log:3: rejected: it is odd\n']);
});

test('a batch of which every event is bad is told and not sent again', async () => {
  const problem = { code: 'events_invalid', detail: 'event 0: it is odd', ...accepted(3, 0, 1, 2) };
  const { asked, report, sender } = prepare([422, problem]);
  assert.equal(await sender.send(ENTRIES), undefined);
  assert.deepEqual([asked.length, report.counts.rejected], [1, 3]);
});

test('a batch that is refused as a whole is halved, in order, until the one that is meant is alone', async () => {
  const tooLarge = { code: 'body_too_large', detail: 'the body is too large' };
  const { told, report, sender } = prepare(
    [413, tooLarge],
    [413, tooLarge], // a, b
    [200, accepted(1)], // a
    [413, tooLarge], // b
    [200, accepted(1)], // c
  );
  assert.equal(await sender.send(ENTRIES), 'c');
  assert.deepEqual(told, ['sekali: app.log:2: rejected: the body is too large\n']);
  assert.deepEqual([report.counts.stored, report.counts.rejected], [2, 1]);
});

test('what no event is to blame for ends the shipping', async () => {
  const { sender } = prepare([401, { code: 'key_missing', detail: 'an API key is required' }]);
  await assert.rejects(sender.send(ENTRIES), RequestError);
});

test('whether the server has an event is known, or known to be unknown', async () => {
  const { asked, sender } = prepare(
    [200, {}],
    [410, { code: 'event_retired' }],
    [404, { code: 'event_unknown' }],
    [404, {}],
    [403, { code: 'key_wrong' }],
    [503, { code: 'store_unavailable' }],
  );
  assert.equal(await sender.has('a/b'), true);
  assert.equal(await sender.has('a'), true);
  assert.equal(await sender.has('a'), false);
  assert.equal(await sender.has('a'), 'unknown');
  assert.equal(await sender.has('a'), 'unknown');
  await assert.rejects(sender.has('a'), RequestError);
  assert.equal(asked[0], '/events/logs/a%2Fb');
});
