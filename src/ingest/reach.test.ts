import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SekaliError } from '../errors.ts';
import { reach } from './reach.ts';

function opening(...ends: (SekaliError | string)[]): () => Promise<string> {
  return async () => {
    const end = ends.shift()!;
    if (end instanceof SekaliError) throw end;
    return end;
  };
}

const away = (reason: string) => new SekaliError('queue_unavailable', reason);

it('what is away is opened again until it is there, and each reason is told once', async () => {
  const told: string[] = [];
  const { signal } = new AbortController();
  const opened = await reach(opening(away('a'), away('b'), away('a'), 'it'), {
    signal,
    onWait: (reason) => told.push(reason),
  });
  assert.deepEqual([opened, told], ['it', ['a', 'b']]);
});

it('what no wait mends is thrown at once', async () => {
  const wrong = new SekaliError('config_invalid', 'wrong password');
  const told: string[] = [];
  const { signal } = new AbortController();
  await assert.rejects(reach(opening(wrong), { signal, onWait: (reason) => told.push(reason) }), wrong);
  assert.deepEqual(told, []);
});

it('waiting ends when it is told to', async () => {
  const closing = new AbortController();
  const open = opening(away('a'), 'it');
  await assert.rejects(reach(open, { signal: closing.signal, onWait: () => closing.abort() }), {
    name: 'AbortError',
  });
});
