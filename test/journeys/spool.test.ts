/** A publisher with a spool on disk: it is killed, its server is away, its disk fails. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { diskSpool } from '../../src/client/disk-spool/index.ts';
import { Sekali } from '../../src/client/index.ts';
import { readAll } from '../support/ledger.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { SpoolSender } from '../support/spool-sender.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const KILLS = 6;
const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;
const hasCompiler = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;

/** Of the tests that need it to be there all the time. */
const suite = { after: (release: () => unknown) => after(() => void release()) };
const server = await startServerProcess(suite, { dataDir: tempDir(suite) });

/** Sends what is left, and holds what is stored against what `send` has resolved for: each once, in their order. */
async function check({ url }: ServerProcess, dir: string, senders: readonly SpoolSender[]): Promise<void> {
  const sekali = new Sekali({ url, source: 'last' });
  await sekali.publisher({ spool: diskSpool(dir) }).close();
  assert.deepEqual(
    readdirSync(dir).filter((name) => !['lock', 'owner', 'progress'].includes(name)),
    [],
  );
  const stored = Map.groupBy(await readAll(sekali), ({ topic }) => topic);
  for (const topic of new Set(senders.flatMap(({ done }) => [...done.keys()]))) {
    const done = senders.flatMap((sender) => sender.done.get(topic) ?? []);
    const isDone = new Set(done);
    const found = (stored.get(topic) ?? []).map(({ event_id }) => event_id).filter((id) => isDone.has(id));
    assert.deepEqual(found, done, topic);
  }
  assert.equal((await sekali.stats()).conflicts, 0);
}

test('what send has resolved for is stored once and in its order, however often the publisher is killed and the server away', async (t) => {
  const dir = tempDir(t);
  const dataDir = tempDir(t);
  let server = await startServerProcess(t, { dataDir });
  const { url } = server;
  const senders: SpoolSender[] = [];
  for (let n = 0; n < KILLS; n++) {
    const sender = new SpoolSender(t, { url, dir, run: `run-${n}` });
    senders.push(sender);
    // Of three runs one has a server, one loses it on its way, and one gets it back.
    if (n % 3 === 1) await Promise.all([sender.more(20), server.stop('SIGKILL')]);
    else if (n % 3 === 2) server = await startServerProcess(t, { dataDir, port: Number(new URL(url).port) });
    await sender.more(1 + Math.floor(Math.random() * 150));
    await sender.kill();
  }
  assert.deepEqual(
    senders.flatMap(({ failures }) => failures),
    [],
  );
  await check(server, dir, senders);
});

test('a second process on the directory is told who has it', async (t) => {
  const dir = tempDir(t);
  const first = new SpoolSender(t, { url: server.url, dir, run: 'first' });
  await first.more(1);
  const second = new SpoolSender(t, { url: server.url, dir, run: 'second' });
  assert.match(await second.failure('spool_in_use'), new RegExp(`in use by process ${first.child.pid} on `));
  await first.kill();
  await second.more(10);
  await second.kill();
  await check(server, dir, [first, second]);
});

test('a spool that is full makes send wait until the server is back', async (t) => {
  const dir = tempDir(t);
  const dataDir = tempDir(t);
  const away = await startServerProcess(t, { dataDir });
  await away.stop();
  const sender = new SpoolSender(t, { url: away.url, dir, run: 'run', maxBytes: 256 * 1024 });
  let before = -1;
  await until('send waits', async () => {
    const isSame = sender.doneCount > 0 && sender.doneCount === before;
    before = sender.doneCount;
    return isSame && spoolBytes(dir) > 200 * 1024;
  });
  const server = await startServerProcess(t, { dataDir, port: Number(new URL(away.url).port) });
  await sender.more(200);
  await sender.kill();
  assert.deepEqual(sender.failures, []);
  await check(server, dir, [sender]);
});

test('a disk that is full fails send, and nothing that it has taken is forgotten', {
  skip: !hasPrlimit && 'needs prlimit (util-linux) to bound the size of files',
}, async (t) => {
  const dir = tempDir(t);
  const sender = new SpoolSender(t, { url: server.url, dir, run: 'run' });
  await sender.more(10);
  const limit = (bytes: string) =>
    execFileSync('prlimit', ['--pid', String(sender.child.pid), `--fsize=${bytes}:`]);
  limit('4000');
  assert.match(await sender.failure('spool_failed'), /cannot be written: /);
  limit('unlimited');
  await sender.more(100);
  await sender.kill();
  await check(server, dir, [sender]);
});

test('a sync that fails fails send, and nothing that it has taken is forgotten', {
  skip: !hasCompiler && 'needs Linux and cc to make fsync fail',
}, async (t) => {
  const dir = tempDir(t);
  const { trigger, env } = failingSync(t);
  const sender = new SpoolSender(t, { url: server.url, dir, run: 'run', env });
  await sender.more(10);
  writeFileSync(trigger, '');
  const sinceMs = Date.now();
  await sender.failure('spool_failed');
  const failures = sender.failures.length;
  await until('more fail', async () => sender.failures.length >= failures + 10);
  // Of each sender one may have been synced by then, and not be told yet.
  const late = sender.doneAtMs.filter((atMs) => atMs > sinceMs).length;
  assert.ok(late <= sender.done.size, `${late} were taken without a sync`);
  rmSync(trigger);
  await sender.more(100);
  await sender.kill();
  await check(server, dir, [sender]);
});

function failingSync(t: TestContext) {
  const dir = tempDir(t);
  const library = join(dir, 'failing-sync.so');
  const source = fileURLToPath(new URL('../support/failing-sync.c', import.meta.url));
  execFileSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl']);
  const trigger = join(dir, 'fail');
  return { trigger, env: { LD_PRELOAD: library, FAIL_SYNC_WHILE: trigger } };
}

function spoolBytes(dir: string): number {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.spool'))
    .reduce((sum, name) => sum + (statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}
