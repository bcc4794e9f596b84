import assert from 'node:assert/strict';
import { CLAIM_MS, claim, drain, groupOf, idsIn, NEVER_MS, type QueueCase, TAKEN_OVER_MS } from './case.ts';

export const deliveryCases: readonly QueueCase[] = [
  {
    name: 'entries come whole and in their order, each with an id of its own',
    async run({ openQueue, openConsumer }) {
      const queue = await openQueue();
      await queue.enqueue(groupOf('a', 'b'));
      await queue.enqueue(groupOf('c'));
      await queue.enqueue(groupOf('d', 'e', 'f'));
      const entries = await claim(await openConsumer());
      assert.deepEqual(entries.map(idsIn), [['a', 'b'], ['c'], ['d', 'e', 'f']]);
      assert.deepEqual(
        entries.map(({ events }) => events),
        [2, 1, 3],
      );
      assert.equal(new Set(entries.map(({ id }) => Buffer.from(id).toString('hex'))).size, 3);
      assert.ok(entries.every(({ id }) => id.length === 16));
    },
  },
  {
    name: 'a claim takes no more entries than it asks for, and the next ones get the rest',
    async run({ openQueue, openConsumer }) {
      const queue = await openQueue();
      for (const id of ['a', 'b', 'c']) await queue.enqueue(groupOf(id));
      const [one, other] = [await openConsumer(), await openConsumer()];
      assert.deepEqual((await claim(one, 2)).flatMap(idsIn), ['a', 'b']);
      assert.deepEqual((await claim(other, 2)).flatMap(idsIn), ['c']);
    },
  },
  {
    name: 'what was enqueued before any worker came is handed out',
    async run({ openQueue, openConsumer }) {
      await (await openQueue()).enqueue(groupOf('early'));
      assert.deepEqual(await drain(await openConsumer()), ['early']);
    },
  },
  {
    name: 'an entry of a worker that dies is handed to another, counted as a second attempt',
    async run({ openQueue, openConsumer }) {
      await (await openQueue()).enqueue(groupOf('a'));
      const [first] = await claim(await openConsumer());
      assert.equal(first?.attempts, 1);
      const [second] = await claim(await openConsumer(), 1, TAKEN_OVER_MS);
      assert.ok(second, 'the entry of the worker that died is handed out');
      assert.deepEqual(idsIn(second), ['a']);
      assert.deepEqual(second.id, first.id);
      assert.equal(second.epoch, first.epoch);
      assert.equal(second.attempts, 2);
    },
  },
  {
    name: 'an entry is taken over once claimMs have passed, and not before',
    async run({ openQueue, openConsumer }) {
      await (await openQueue()).enqueue(groupOf('a'));
      const slow = await openConsumer();
      const other = await openConsumer();
      const claimedAt = performance.now();
      await claim(slow);
      const [taken] = await claim(other, 1, TAKEN_OVER_MS);
      assert.ok(taken);
      // The server counts whole milliseconds.
      assert.ok(performance.now() - claimedAt >= CLAIM_MS - 1, 'not before claimMs');
    },
  },
  {
    name: 'an entry is with one worker at a time',
    async run({ openQueue, openConsumer }) {
      const queue = await openQueue();
      const options = { claimMs: NEVER_MS };
      const workers = await Promise.all([1, 2, 3].map(() => openConsumer(options)));
      const ids = Array.from({ length: 30 }, (_, i) => `e${i}`);
      for (const id of ids) await queue.enqueue(groupOf(id));
      const seen = (await Promise.all(workers.map(drain))).flat();
      assert.deepEqual(seen.toSorted(), ids.toSorted());
    },
  },
];
