import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WebhookDefinition } from '../../store/subscription-store.ts';
import { rotate, secretsAt } from './secrets.ts';

const DAY_MS = 86_400_000;
const FIRST: WebhookDefinition['secrets'] = [{ secret: 'first', untilMs: null }];

/** Rotates so many times, a second apart. */
function rotateOften(times: number): WebhookDefinition['secrets'] {
  let secrets = FIRST;
  for (let n = 1; n <= times; n++) secrets = rotate(secrets, `new ${n}`, DAY_MS, n * 1000);
  return secrets;
}

test('the secret that is replaced holds for as long as was said, however often it is replaced', () => {
  const secrets = rotateOften(4);
  assert.deepEqual(secretsAt(secrets, 5000), ['new 4', 'new 3', 'new 2', 'new 1', 'first']);
  assert.ok(secretsAt(secrets, DAY_MS + 999).includes('first'));
  assert.deepEqual(secretsAt(secrets, DAY_MS + 1000), ['new 4', 'new 3', 'new 2', 'new 1']);
});

test('where no more may hold, the next one is refused, with the time when there is room', () => {
  const secrets = rotateOften(4);
  assert.throws(() => rotate(secrets, 'new 5', 60_000, 5000), {
    code: 'secrets_full',
    message: /with 5 secrets already, .* until 1970-01-02T00:00:01\.000000Z: .*"overlap_ms": 0/,
  });
  const later = rotate(secrets, 'new 5', DAY_MS, DAY_MS + 1000);
  assert.deepEqual(secretsAt(later, DAY_MS + 1000), ['new 5', 'new 4', 'new 3', 'new 2', 'new 1']);
});

test('without an overlap there is always room, and the new one holds alone', () => {
  assert.deepEqual(secretsAt(rotate(rotateOften(4), 'new 5', 0, 5000), 5000), ['new 5']);
});
