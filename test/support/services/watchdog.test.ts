import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { until } from '../until.ts';
import { isRunning } from './is-running.ts';
import { useServices } from './services.ts';

const services = useServices('postgres-server', 'redis-server');

/** A test process that starts servers, one of them twice, and never disposes of them. */
const FORGETFUL = `
import { PostgresServer } from ${JSON.stringify(import.meta.resolve('./postgres-server.ts'))};
import { RedisServer } from ${JSON.stringify(import.meta.resolve('./redis-server.ts'))};
const [postgres, redis] = await Promise.all([PostgresServer.start(), RedisServer.start()]);
await redis.restart();
console.log(JSON.stringify([postgres, redis].map(({ pid, dir }) => ({ pid, dir }))));
if (process.argv[1] !== 'end') setInterval(() => {}, 1_000);`;

describe('servers end with the process that started them', { ...services.options, concurrency: true }, () => {
  test('when it ends without having ended them', () => leavesNothing('end'));
  test('when it is killed', () => leavesNothing('SIGKILL'));
  test('when it is interrupted', () => leavesNothing('SIGINT'));
});

async function leavesNothing(how: 'end' | NodeJS.Signals): Promise<void> {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const args = ['--input-type=module', '--eval', FORGETFUL, '--', how];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    const servers = JSON.parse(line) as { pid: number; dir: string }[];
    assert.equal(servers.length, 2);
    if (how !== 'end') child.kill(how);
    for (const { pid, dir } of servers) {
      await until(`the end of ${pid}`, async () => !isRunning(pid));
      await until(`the end of ${dir}`, async () => !existsSync(dir));
    }
    return;
  }
  assert.fail('no server was started');
}
