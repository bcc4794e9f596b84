import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Acks } from './acks.ts';

const refOf = (position: number) => ({ position, lease: 'a' });

it('what comes while an acknowledgement is under way is acknowledged together, after it', async () => {
  const calls: number[][] = [];
  const begun = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const acks = new Acks(async (leases) => {
    calls.push(leases.map(({ position }) => position));
    begun.resolve();
    await release.promise;
  });
  const first = acks.add(refOf(1));
  await begun.promise;
  const others = [2, 3, 4].map((position) => acks.add(refOf(position)));
  release.resolve();
  await Promise.all([first, ...others]);
  assert.deepEqual(calls, [[1], [2, 3, 4]]);
});

it('one that fails is told to all who are in it, and to no other', async () => {
  let calls = 0;
  const acks = new Acks(async () => {
    if (++calls === 1) throw new Error('away');
  });
  const results = await Promise.allSettled([acks.add(refOf(1)), acks.add(refOf(2))]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  await acks.add(refOf(3));
});
