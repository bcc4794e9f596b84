import assert from 'node:assert/strict';
import { SekaliError } from '../../../src/errors.ts';
import type { Queue, QueueState } from '../../../src/queue/queue.ts';
import { until } from '../../support/until.ts';
import { claim, drain, groupOf, idsIn, type QueueCase } from './case.ts';

export const crashCases: readonly QueueCase[] = [
  {
    name: 'what enqueue has resolved for is there after a kill -9 of the server',
    async run({ openQueue, openConsumer, kill, restart }) {
      const queue = await openQueue();
      const resolved: string[] = [];
      const enqueue = async (id: string) => {
        await queue.enqueue(groupOf(id));
        resolved.push(id);
      };
      const writing = Array.from({ length: 200 }, (_, i) => enqueue(`e${i}`).catch(() => {}));
      await Promise.race(writing);
      await kill();
      await Promise.all(writing);
      await restart();
      assert.ok(resolved.length > 0);
      const there = new Set(await drain(await openConsumer()));
      assert.deepEqual(
        resolved.filter((id) => !there.has(id)),
        [],
      );
      const { enqueued } = await stateOf(queue);
      assert.equal(enqueued, there.size, 'what is counted is what was there');
    },
  },
  {
    name: 'an epoch goes on when the server comes back with its data',
    async run({ openQueue, restart }) {
      const queue = await openQueue();
      await queue.enqueue(groupOf('a'));
      const before = await queue.state();
      await restart();
      assert.deepEqual(await stateOf(queue), before);
    },
  },
  {
    name: 'an epoch ends when the server comes back without its data',
    async run({ openQueue, openConsumer, loseMemory }) {
      const queue = await openQueue();
      const consumer = await openConsumer();
      await queue.enqueue(groupOf('a'));
      const before = await queue.state();
      await loseMemory();
      const after = await stateOf(queue);
      assert.notEqual(after.epoch, before.epoch);
      assert.deepEqual([after.enqueued, after.entries, after.bytes], [0, 0, 0]);
      await queue.enqueue(groupOf('b'));
      const entries = await until('a claim', () => claim(consumer, 1, 100).catch(() => undefined));
      assert.deepEqual(entries.flatMap(idsIn), ['b']);
      assert.equal(entries[0]!.epoch, after.epoch);
    },
  },
  {
    name: 'while the server is away all calls fail as queue_unavailable; when it is back all is well again',
    async run({ openQueue, openConsumer, kill, restart }) {
      const queue = await openQueue();
      const consumer = await openConsumer();
      await queue.enqueue(groupOf('a'));
      const held = await claim(consumer);
      await kill();
      for (let i = 0; i < 3; i++) {
        await assert.rejects(queue.enqueue(groupOf('lost')), isUnavailable);
        await assert.rejects(queue.state(), isUnavailable);
        await assert.rejects(claim(consumer, 1, 1000), isUnavailable);
        await assert.rejects(consumer.ack(held), isUnavailable);
      }
      await restart();
      await stateOf(queue);
      await queue.enqueue(groupOf('b'));
      await until(
        'an ack',
        async () =>
          await consumer.ack(held).then(
            () => true,
            () => false,
          ),
      );
      assert.deepEqual(await drain(consumer), ['b']);
    },
  },
  {
    name: 'a worker that waits for entries when the server goes away is told, and gets them later',
    async run({ openQueue, openConsumer, kill, restart }) {
      const queue = await openQueue();
      const consumer = await openConsumer();
      const waiting = claim(consumer, 1, 600_000);
      const told = assert.rejects(waiting, isUnavailable);
      await kill();
      await told;
      await restart();
      await stateOf(queue);
      await queue.enqueue(groupOf('a'));
      const entries = await until('a claim', () => claim(consumer, 1, 100).catch(() => undefined));
      assert.deepEqual(entries.flatMap(idsIn), ['a']);
    },
  },
];

/** Once the queue has found its server again. */
async function stateOf(queue: Queue): Promise<QueueState> {
  return await until('the state', () => queue.state().catch(() => undefined));
}

function isUnavailable(error: unknown): boolean {
  assert.ok(error instanceof SekaliError, String(error));
  assert.equal(error.code, 'queue_unavailable', error.message);
  return true;
}
