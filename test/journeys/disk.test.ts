/** Faults 7 and 8: writes and fsyncs fail, the disk is full, file descriptors run out. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RequestError, type Sekali } from '../../src/client/index.ts';
import { Ledger } from '../support/ledger.ts';
import { makeEvents } from '../support/make-events.ts';
import { runCli } from '../support/process.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;
/** A mount namespace of its own, also for who is not root where the system allows that. */
const NAMESPACE = ['unshare', '--user', '--map-root-user', '--mount'];
const hasNamespaces = spawnSync(NAMESPACE[0]!, [...NAMESPACE.slice(1), 'true']).status === 0;
const hasCompiler = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;

test('a disk that is full: 503 and nothing acknowledged; once there is room, nothing is forgotten', {
  skip: !hasPrlimit && 'needs prlimit (util-linux) to bound the size of files',
}, async (t) => {
  const dataDir = tempDir(t);
  const server = await startServerProcess(t, { dataDir });
  const client = server.client();
  const ledger = new Ledger();
  assert.ok(await ledger.publish(client, makeEvents(100, 'before-')));

  // Not a byte beyond what its largest file has now: each write further out fails, as it does on a full disk.
  limit(server, 'fsize', String(largestFile(dataDir)));
  const refusal = await failure(client, 'during');
  assert.equal(refusal.status, 503);
  assert.equal(refusal.code, 'store_unavailable');
  assert.equal((await fetch(`${server.url}/readyz`)).status, 503);
  const health = (await (await fetch(`${server.url}/health`)).json()) as {
    status: string;
    database: boolean;
  };
  assert.deepEqual([health.status, health.database], ['unhealthy', false]);
  assert.equal((await fetch(`${server.url}/livez`)).status, 200);

  limit(server, 'fsize', 'unlimited');
  await isReady(server);
  await ledger.publish(client, makeEvents(100, 'after-'));
  await ledger.check(client);
  await ledger.publish(client, makeEvents(100, 'before-'));
  const stats = await ledger.check(client);
  assert.equal(stats.duplicate_dropped, 100);
});

test('an fsync that fails: 503 and nothing acknowledged; once it is sound again, a retry is answered exactly', {
  skip: !hasCompiler && 'needs Linux and cc to make fsync fail',
}, async (t) => {
  const dir = tempDir(t);
  const library = join(dir, 'failing-sync.so');
  const source = fileURLToPath(new URL('../support/failing-sync.c', import.meta.url));
  execFileSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl']);
  const trigger = join(dir, 'fail');
  const env = { LD_PRELOAD: library, FAIL_SYNC_WHILE: trigger };
  const server = await startServerProcess(t, { dataDir: join(dir, 'data'), env });
  const client = server.client();
  const ledger = new Ledger();
  assert.ok(await ledger.publish(client, makeEvents(50, 'before-')));

  writeFileSync(trigger, '');
  assert.equal(await ledger.publish(client, makeEvents(50, 'during-')), false);
  assert.equal((await failure(client, 'still')).status, 503);
  assert.equal((await fetch(`${server.url}/readyz`)).status, 503);

  rmSync(trigger);
  await isReady(server);
  await ledger.settle(client);
  const stats = await ledger.check(client);
  assert.equal(stats.unique_processed, 100);
  assert.equal(await server.stop(), 0);
});

test('no file descriptors: known connections are served, new ones again once there are some', {
  skip: !hasPrlimit && 'needs prlimit (util-linux) to bound file descriptors',
}, async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  const client = server.client();
  const ledger = new Ledger();
  assert.ok(await ledger.publish(client, makeEvents(10, 'before-')));
  // The threads that fold the log and read have a connection each, which they may open after the server has answered.
  await until('every thread has its connection', async () => connectionsOf(server) === 6);
  const open = readdirSync(`/proc/${server.pid}/fd`).length;
  limit(server, 'nofile', `${open + 4}:`);

  const { hostname, port } = new URL(server.url);
  const sockets: Socket[] = [];
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  for (let i = 0; i < 200; i++) sockets.push(connect(Number(port), hostname).on('error', () => {}));
  await until(
    'the server has used up its descriptors',
    async () => readdirSync(`/proc/${server.pid}/fd`).length >= open + 4,
  );
  for (const socket of sockets) socket.destroy();

  await until('a new connection is served', async () => {
    const response = await fetch(`${server.url}/readyz`).catch(() => undefined);
    return response?.status === 200;
  });
  assert.ok(await ledger.publish(client, makeEvents(10, 'after-')));
  await ledger.check(client);
});

test('a read-only file system is told in one line; once it can be written again, nothing is forgotten', {
  skip: !hasNamespaces && 'needs unshare (util-linux) and the right to mount within a namespace of its own',
}, async (t) => {
  const dataDir = tempDir(t);
  const before = await startServerProcess(t, { dataDir });
  const ledger = new Ledger();
  await ledger.publish(before.client(), makeEvents(100));
  await before.stop('SIGKILL');

  const script = `mount --bind ${dataDir} ${dataDir} && mount -o remount,bind,ro ${dataDir} && exec "$@"`;
  const through = [...NAMESPACE, 'sh', '-c', script, 'sh'];
  const { code, stderr } = await runCli(['serve', '--port', '0', '--data', dataDir], { through });
  assert.equal(code, 1);
  assert.match(stderr, /^sekali: .* cannot be locked: .*\n$/);

  const after = await startServerProcess(t, { dataDir });
  await ledger.publish(after.client(), makeEvents(100));
  assert.equal((await ledger.check(after.client())).duplicate_dropped, 100);
});

test('a data directory that cannot be made is told in one line, and nothing is served', async (t) => {
  const file = join(tempDir(t), 'file');
  writeFileSync(file, '');
  const { code, stderr } = await runCli(['serve', '--port', '0', '--data', join(file, 'data')]);
  assert.equal(code, 1);
  assert.match(stderr, /^sekali: .*data.*\n$/);
});

function limit(server: ServerProcess, resource: string, value: string): void {
  execFileSync('prlimit', [`--pid=${server.pid}`, `--${resource}=${value}${value.includes(':') ? '' : ':'}`]);
}

function largestFile(dir: string): number {
  return Math.max(...readdirSync(dir).map((name) => statSync(join(dir, name)).size));
}

/** Publishes until a publish fails; what the log has room for left over still goes through. */
async function failure(client: Sekali, prefix: string): Promise<RequestError> {
  for (let i = 0; i < 100; i++) {
    try {
      await client.publish(makeEvents(500, `${prefix}-${i}-`, { payload: { text: 'x'.repeat(500) } }));
    } catch (error) {
      assert.ok(error instanceof RequestError);
      return error;
    }
  }
  throw new Error('the disk did not fill');
}

async function isReady(server: ServerProcess): Promise<void> {
  await until('the server is ready again', async () => (await fetch(`${server.url}/readyz`)).status === 200);
}

/** How often a process has the database open. */
function connectionsOf({ pid }: ServerProcess): number {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ''; // closed meanwhile
    }
  });
  return links.filter((link) => /\/(sekali|subscriptions)\.db$/.test(link)).length;
}
