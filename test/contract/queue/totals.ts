import assert from 'node:assert/strict';
import { SekaliError } from '../../../src/errors.ts';
import { claim, drain, groupOf, idsIn, largeGroup, type QueueCase } from './case.ts';

export const totalsCases: readonly QueueCase[] = [
  {
    name: 'enqueued counts events, in all producers, and never goes back',
    async run({ openQueue, openConsumer }) {
      const [queue, other] = [await openQueue(), await openQueue()];
      assert.equal((await queue.state()).enqueued, 0);
      await queue.enqueue(groupOf('a', 'b'));
      await other.enqueue(groupOf('c'));
      assert.equal((await queue.state()).enqueued, 3);
      await drain(await openConsumer());
      assert.equal((await queue.state()).enqueued, 3);
      await queue.enqueue(groupOf('d'));
      assert.equal((await other.state()).enqueued, 4);
    },
  },
  {
    name: 'an epoch is a uuid, the same for all producers and on each entry',
    async run({ openQueue, openConsumer }) {
      const [queue, other] = [await openQueue(), await openQueue()];
      await other.enqueue(groupOf('a'));
      const { epoch } = await queue.state();
      assert.match(epoch, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      assert.equal((await other.state()).epoch, epoch);
      const [entry] = await claim(await openConsumer());
      assert.equal(entry!.epoch, epoch);
    },
  },
  {
    name: 'a full queue refuses, and drops nothing of what it has',
    async run({ openQueue, openConsumer }) {
      const queue = await openQueue({ bytesMax: 10_000 });
      const groups = ['a', 'b', 'c'].map((id) => largeGroup(id, 4000));
      await queue.enqueue(groups[0]!);
      await queue.enqueue(groups[1]!);
      await assert.rejects(queue.enqueue(groups[2]!), isOverloaded);
      const full = await queue.state();
      assert.equal(full.entries, 2);
      assert.equal(full.enqueued, 2);
      assert.ok(full.bytes > 8000 && full.bytes <= 10_000);

      const consumer = await openConsumer();
      const entries = await claim(consumer);
      assert.deepEqual(entries.flatMap(idsIn), ['a', 'b']);
      // Handed out is not done.
      await assert.rejects(queue.enqueue(groups[2]!), isOverloaded);
      await consumer.ack(entries);
      await queue.enqueue(groups[2]!);
    },
  },
];

function isOverloaded(error: unknown): boolean {
  assert.ok(error instanceof SekaliError, String(error));
  assert.equal(error.code, 'overloaded');
  return true;
}
