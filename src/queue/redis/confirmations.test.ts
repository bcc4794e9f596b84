import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SekaliError } from '../../errors.ts';
import { Confirmations } from './confirmations.ts';

/** A session that answers when it is told to. */
class HeldSession {
  readonly sent: (readonly unknown[])[] = [];
  readonly #replies: ((reply: unknown) => void)[] = [];
  send(args: readonly unknown[]): Promise<unknown> {
    this.sent.push(args);
    return new Promise((resolve) => this.#replies.push(resolve));
  }
  async reply(reply: unknown): Promise<void> {
    this.#replies.shift()!(reply);
    for (let i = 0; i < 5; i++) await nextTurn();
  }
}

test('what comes while a round is under way shares the next one', async () => {
  const session = new HeldSession();
  const confirmations = new Confirmations(session, { kind: 'fsync', replicas: 1 });
  const first = [confirmations.confirm(), confirmations.confirm()];
  await nextTurn();
  await nextTurn();
  const second = [confirmations.confirm(), confirmations.confirm()];
  assert.deepEqual(session.sent, [['WAITAOF', '1', '1', '4000']]);
  await session.reply([1, 1]);
  await Promise.all(first);
  assert.equal(session.sent.length, 2);
  await session.reply([1, 2]);
  await Promise.all(second);
  assert.equal(session.sent.length, 2);
});

test('a round that fails fails for those who are in it, and for no one else', async () => {
  const session = new HeldSession();
  const confirmations = new Confirmations(session, { kind: 'replicas', replicas: 2 });
  const first = assert.rejects(
    confirmations.confirm(),
    (error) =>
      error instanceof SekaliError && error.code === 'queue_unavailable' && /1 of 2/.test(error.message),
  );
  await nextTurn();
  await nextTurn();
  const second = confirmations.confirm();
  await session.reply(1);
  await first;
  await session.reply(2);
  await second;
});

test('a local fsync that does not come in time is told', async () => {
  const session = new HeldSession();
  const confirming = new Confirmations(session, { kind: 'fsync', replicas: 0 }).confirm();
  const told = assert.rejects(confirming, /has not written to disk/);
  await nextTurn();
  await nextTurn();
  await session.reply([0, 0]);
  await told;
});

test('where nothing can be confirmed nothing is asked', async () => {
  const session = new HeldSession();
  await new Confirmations(session, { kind: 'none' }).confirm();
  assert.deepEqual(session.sent, []);
});
