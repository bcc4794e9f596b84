import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandOutTurns } from './subscription-turns.ts';

test('work of one name is done one after the other, in the order in which it came; that of others beside it', async () => {
  const turns = new HandOutTurns();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.run('a', async () => {
    log.push('a1 begins');
    await gate.promise;
    log.push('a1 ends');
  });
  const second = turns.run('a', async () => log.push('a2'));
  await turns.run('b', async () => log.push('b'));
  gate.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(log, ['a1 begins', 'b', 'a1 ends', 'a2']);
});

test('work that fails is told so, and keeps nobody back', async () => {
  const turns = new HandOutTurns();
  const failing = turns.run('a', () => Promise.reject(new Error('broken')));
  const next = turns.run('a', async () => 'next');
  await assert.rejects(failing, /broken/);
  assert.equal(await next, 'next');
});

test('who waits for too long is turned away, and who comes after still waits for the one at work', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const turns = new HandOutTurns();
  const gate = Promise.withResolvers<string>();
  const first = turns.run('a', () => gate.promise);
  const refused = assert.rejects(
    turns.run('a', async () => assert.fail('it is not its turn')),
    { code: 'overloaded' },
  );
  t.mock.timers.tick(5000);
  await refused;
  let isAtWork = true;
  const third = turns.run('a', async () => assert.equal(isAtWork, false));
  await Promise.resolve();
  isAtWork = false;
  gate.resolve('done');
  assert.equal(await first, 'done');
  await third;
});
