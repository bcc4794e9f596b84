import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEvent } from '../../test/support/make-events.ts';
import type { PublishAnswer, WireEvent } from '../protocol/wire.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';
import { LocalCommitQueue } from './local-commit-queue.ts';

const LIMITS = { eventBytesMax: 1024 * 1024, depthMax: 64, eventsMax: 10 };

function requestOf(...events: WireEvent[]) {
  const body = Uint8Array.from(Buffer.from(JSON.stringify(events)));
  return { lane: 'stored', body, format: 'json', atomic: false, receipts: true } as const;
}

test('requests that come together are answered each with its own verdicts, in the order in which they came', async () => {
  const queue = new LocalCommitQueue(new MemoryStore(), LIMITS);
  const [first, second, other] = [
    makeEvent(),
    makeEvent({ payload: {} }),
    makeEvent({ event_id: 'order-2' }),
  ];
  const requests = [requestOf(first), requestOf(first, other), requestOf(second)];
  const answers = requests.map((request) => queue.commit(request));
  assert.equal(queue.size, 3);
  const results = (await Promise.all(answers)).flatMap((json) => (JSON.parse(json) as PublishAnswer).results);
  assert.deepEqual(
    results.map((receipt) => [receipt?.verdict, receipt?.position]),
    [
      ['stored', 1],
      ['duplicate', 1],
      ['stored', 2],
      ['conflict', 1],
    ],
  );
  assert.deepEqual([queue.size, queue.keyStats.keys, await queue.find('orders', 'order-2')], [0, 2, 2]);
});

test('a request that is refused is so alone, and those who listen are told of what is stored', async () => {
  const queue = new LocalCommitQueue(new MemoryStore(), LIMITS);
  let told = 0;
  const stop = queue.onStored(() => told++);
  const many = Array.from({ length: 11 }, (_, i) => makeEvent({ event_id: `${i}` }));
  const refused = queue.commit(requestOf(...many));
  const stored = queue.commit(requestOf(makeEvent()));
  await assert.rejects(refused, { code: 'batch_too_long' });
  assert.match(await stored, /"processed":1/);
  assert.ok(told > 0);
  stop();
  const before = told;
  await queue.commit(requestOf(makeEvent()));
  assert.equal(told, before);
});

test('what was taken is stored before the queue is closed', async () => {
  const store = new MemoryStore();
  const queue = new LocalCommitQueue(store, LIMITS);
  const answers = Array.from({ length: 50 }, (_, i) =>
    queue.commit(requestOf(makeEvent({ event_id: `${i}` }))),
  );
  await queue.close();
  assert.equal(await store.lastPosition(), 50);
  await Promise.all(answers);
});

test('it has settled once what was taken before is stored, whatever comes meanwhile', async () => {
  const store = new MemoryStore();
  const queue = new LocalCommitQueue(store, LIMITS);
  await queue.settled();
  const answers = Array.from({ length: 50 }, (_, i) =>
    queue.commit(requestOf(makeEvent({ event_id: `${i}` }))),
  );
  answers.push(queue.commit({ ...requestOf(), body: Uint8Array.from(Buffer.from('[')) }));
  const settled = queue.settled();
  const late = queue.commit(requestOf(makeEvent({ event_id: 'late' })));
  await settled;
  assert.ok((await store.lastPosition()) >= 50);
  await late;
  assert.equal((await Promise.allSettled(answers)).filter(({ status }) => status === 'rejected').length, 1);
});
