import assert from 'node:assert/strict';
import { CLAIM_MS, claim, drain, groupOf, type QueueCase, TAKEN_OVER_MS } from './case.ts';

export const acknowledgingCases: readonly QueueCase[] = [
  {
    name: 'what is acknowledged is never handed out again, and takes no room',
    async run({ openQueue, openConsumer }) {
      const queue = await openQueue();
      await queue.enqueue(groupOf('a'));
      await queue.enqueue(groupOf('b'));
      assert.deepEqual(await drain(await openConsumer({ claimMs: CLAIM_MS })), ['a', 'b']);
      assert.deepEqual(await claim(await openConsumer(), 10, 2 * CLAIM_MS), []);
      const { entries, bytes } = await queue.state();
      assert.deepEqual({ entries, bytes }, { entries: 0, bytes: 0 });
    },
  },
  {
    name: 'an entry that is acknowledged twice counts once',
    async run({ openQueue, openConsumer }) {
      const queue = await openQueue();
      await queue.enqueue(groupOf('a'));
      await queue.enqueue(groupOf('b'));
      const consumer = await openConsumer();
      const [first, second] = await claim(consumer);
      await consumer.ack([first!]);
      const after = await queue.state();
      await consumer.ack([first!]);
      await (await openConsumer()).ack([first!, first!]);
      assert.deepEqual(await queue.state(), after);
      await consumer.ack([first!, second!]);
      assert.equal((await queue.state()).bytes, 0);
    },
  },
  {
    name: 'an entry that was taken over may be acknowledged by whoever had it first',
    async run({ openQueue, openConsumer }) {
      const queue = await openQueue();
      await queue.enqueue(groupOf('a'));
      const [slow, other] = [await openConsumer(), await openConsumer()];
      const entries = await claim(slow);
      assert.equal((await claim(other, 1, TAKEN_OVER_MS)).length, 1);
      await slow.ack(entries);
      assert.equal((await queue.state()).entries, 0);
    },
  },
];
