import assert from 'node:assert/strict';
import { claim, groupOf, idsIn, NEVER_MS, type QueueCase } from './case.ts';

export const waitingCases: readonly QueueCase[] = [
  {
    name: 'a claim of an empty queue waits, and returns as soon as there is an entry',
    async run({ openQueue, openConsumer }) {
      const queue = await openQueue();
      const consumer = await openConsumer({ claimMs: NEVER_MS });
      const startedAt = performance.now();
      let returnedAt = 0;
      const waiting = claim(consumer, 1, 60_000).finally(() => {
        returnedAt = performance.now();
      });
      // Longer than an adapter may cut its waiting into.
      await claim(await openConsumer({ claimMs: NEVER_MS }), 1, 1200).then((none) =>
        assert.deepEqual(none, []),
      );
      assert.equal(returnedAt, 0, 'it waits');
      await queue.enqueue(groupOf('a'));
      assert.deepEqual((await waiting).flatMap(idsIn), ['a']);
      assert.ok(returnedAt - startedAt < 30_000, 'it does not wait to its end');
    },
  },
  {
    name: 'a claim that waits in vain has none, after waitMs',
    async run({ openConsumer }) {
      const consumer = await openConsumer();
      const startedAt = performance.now();
      assert.deepEqual(await claim(consumer, 1, 300), []);
      assert.ok(performance.now() - startedAt >= 299);
    },
  },
  {
    name: 'a claim ends soon after its signal, with none, and the consumer is as before',
    async run({ openQueue, openConsumer }) {
      const queue = await openQueue();
      const consumer = await openConsumer();
      const stop = new AbortController();
      const waiting = consumer.claim({ entriesMax: 1, waitMs: 60_000, signal: stop.signal });
      assert.equal((await queue.state()).entries, 0);
      const abortedAt = performance.now();
      stop.abort();
      assert.deepEqual(await waiting, []);
      assert.ok(performance.now() - abortedAt < 5000, 'soon');
      await queue.enqueue(groupOf('a'));
      assert.deepEqual(await consumer.claim({ entriesMax: 1, waitMs: 60_000, signal: stop.signal }), []);
      assert.equal((await claim(consumer, 1, 60_000)).length, 1);
    },
  },
];
