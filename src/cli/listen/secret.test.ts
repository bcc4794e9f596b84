import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { keptSecret, secretKind } from './secret.ts';

test('a secret is made once, for this user alone', (t) => {
  const dir = tempDir(t);
  const secret = keptSecret({ XDG_STATE_HOME: dir });
  assert.ok('value' in secretKind.read(secret));
  assert.equal(keptSecret({ XDG_STATE_HOME: dir }), secret);
  assert.equal(statSync(join(dir, 'sekali', 'listen-secret')).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(dir, 'sekali')), ['listen-secret']);
});

test('it is in the home directory unless another place is named, as an absolute path', (t) => {
  const dir = tempDir(t);
  const secret = keptSecret({ HOME: dir, XDG_STATE_HOME: 'relative' });
  const path = join(dir, '.local', 'state', 'sekali', 'listen-secret');
  assert.equal(readFileSync(path, 'utf8'), `${secret}\n`);
});

test('a file that holds something else, and a place that holds no file, are told', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'sekali'));
  writeFileSync(join(dir, 'sekali', 'listen-secret'), 'hunter2\n');
  assert.throws(() => keptSecret({ XDG_STATE_HOME: dir }), {
    code: 'config_invalid',
    message: /listen-secret holds no secret/,
  });
  const file = join(dir, 'file');
  writeFileSync(file, '');
  assert.throws(() => keptSecret({ XDG_STATE_HOME: file }), {
    code: 'config_invalid',
    message: /no secret can be kept: .*SEKALI_WEBHOOK_SECRET/,
  });
});
