import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { CheckpointFile, type CheckpointKey, stateDir } from './checkpoint.ts';

const KEY: CheckpointKey = {
  url: 'http://127.0.0.1:8080',
  topic: 'logs',
  identity: '',
  follow: true,
  path: '/var/log/app.log',
};
const CHECKPOINT = { offset: 42, sha256: 'ab'.repeat(32), eventId: 'event-1' };

test('what was written is read, by whoever asks for the same', async (t) => {
  const dir = join(tempDir(t), 'not', 'yet', 'there');
  await new CheckpointFile(dir, KEY).write({ ...CHECKPOINT, offset: 7 });
  await new CheckpointFile(dir, KEY).write(CHECKPOINT);
  assert.deepEqual(await new CheckpointFile(dir, { ...KEY }).read(), CHECKPOINT);
  assert.equal(readdirSync(dir).length, 1);
});

test('a checkpoint of another server, topic, identity, path or way of shipping is another one', async (t) => {
  const dir = tempDir(t);
  await new CheckpointFile(dir, KEY).write(CHECKPOINT);
  const others: Partial<CheckpointKey>[] = [
    { url: 'http://127.0.0.1:8081' },
    { topic: 'other' },
    { identity: 'host-1' },
    { follow: false },
    { path: '/var/log/other.log' },
  ];
  for (const other of others) {
    assert.equal(await new CheckpointFile(dir, { ...KEY, ...other }).read(), undefined);
  }
});

test('a damaged checkpoint is none', async (t) => {
  const dir = tempDir(t);
  const file = new CheckpointFile(dir, KEY);
  await file.write(CHECKPOINT);
  const path = join(dir, readdirSync(dir)[0]!);
  const good = readFileSync(path, 'utf8');
  for (const bad of [
    '',
    good.slice(0, -10),
    'null',
    '{}',
    '[]',
    good.replace('42', '"42"'),
    good.replace('42', '-1'),
  ]) {
    writeFileSync(path, bad);
    assert.equal(await file.read(), undefined, bad);
  }
});

test('one that is not there can be read and removed', async (t) => {
  const file = new CheckpointFile(join(tempDir(t), 'gone'), KEY);
  assert.equal(await file.read(), undefined);
  await file.remove();
});

test('checkpoints are kept where the XDG specification says', () => {
  assert.equal(stateDir({ XDG_STATE_HOME: '/state' }), '/state/sekali/ship');
  for (const env of [{}, { XDG_STATE_HOME: '' }, { XDG_STATE_HOME: 'relative' }]) {
    assert.equal(stateDir(env), join(homedir(), '.local', 'state', 'sekali', 'ship'));
  }
});
