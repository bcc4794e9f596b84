import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPersistence } from './persistence.ts';

function serverOf(version: string) {
  return {
    send: async ([command]: readonly unknown[]) =>
      command === 'INFO' ? `# Server\r\nredis_version:${version}\r\nrun_id:a\r\naof_enabled:1\r\n` : [],
  };
}

for (const version of ['7.0.0', '7.2.4', '8.0.0', '10.1.0'])
  test(`a queue works with Redis ${version}`, async () => {
    assert.equal((await readPersistence(serverOf(version))).version, version);
  });

for (const version of ['5.0.14', '6.2.14'])
  test(`a server of version ${version} is refused, with what is needed`, async () => {
    await assert.rejects(readPersistence(serverOf(version)), {
      code: 'config_invalid',
      message: `A queue needs Redis 7.0 or later, and this is ${version}.`,
    });
  });
