/** A backup is a copy of one moment, whole or nothing; what is restored from it is that moment. */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BACKUP_FAILPOINTS } from '../../src/failpoint.ts';
import { DataLock } from '../../src/store/sqlite/data-lock.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { SqliteSubscriptions } from '../../src/store/sqlite/sqlite-subscriptions.ts';
import { verifyStore } from '../../src/store/sqlite/verify/verify-store.ts';
import { appendOne } from '../contract/store/case.ts';
import { DEFINITION, lease, leaseOf, refsOf, rowsOf } from '../contract/subscriptions/case.ts';
import { readAll } from '../support/ledger.ts';
import { makeEvents } from '../support/make-events.ts';
import { type Finished, runCli } from '../support/process.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const sekali = (...args: string[]): Promise<Finished> => runCli(args);

function assertSound(dataDir: string): void {
  verifyStore({ dataDir, onFault: (fault) => assert.fail(JSON.stringify(fault)) });
}

/** A store with several generations, and a subscription, closed. */
async function makeStore(dataDir: string, groups = 8): Promise<void> {
  const store = SqliteStore.open({ dataDir, hotKeys: 100, mergeFanIn: 3 });
  for (let group = 0; group < groups; group++) {
    await appendOne(store, ...makeEvents(60, `group-${group}-`, { topic: `topic-${group % 3}` }));
    await store.settled();
  }
  await store.close();
  const subscriptions = SqliteSubscriptions.open({ dataDir });
  await subscriptions.put('billing', DEFINITION, 0);
  await lease(subscriptions, 'billing', rowsOf(1, 2, 3));
  await subscriptions.close();
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[Math.floor(Math.random() * bytes.length)]! ^= 1 << Math.floor(Math.random() * 8);
  writeFileSync(path, bytes);
}

/** Publishes without a pause until it is told to stop. */
function load(server: ServerProcess): { stop: () => Promise<void> } {
  const run = new AbortController();
  const client = server.client();
  const runs = Array.from({ length: 4 }, async (_, number) => {
    for (let n = 0; !run.signal.aborted; n++) {
      await client.publish(makeEvents(500, `load-${number}-${n}-`, { topic: `topic-${number}` }));
    }
  });
  return {
    async stop() {
      run.abort();
      await Promise.all(runs);
    },
  };
}

describe('a backup of a server under load', () => {
  test('is one moment: sound, whole up to its last position, restored as it was', {
    timeout: 120_000,
  }, async (t) => {
    const root = tempDir(t);
    const [dataDir, target, restored] = ['data', 'backup', 'restored'].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    const server = await startServerProcess(t, { dataDir });
    const publishing = load(server);
    await until(
      'some events are stored',
      async () => (await server.client().stats()).unique_processed > 20_000,
    );

    const before = await server.client().stats();
    const { code, stdout, stderr } = await sekali('backup', target, '--data', dataDir);
    const afterwards = await server.client().stats();
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const report = JSON.parse(stdout) as { events: number; last_position: number };
    assert.ok(report.events >= before.unique_processed && report.events <= afterwards.unique_processed);
    assert.ok(afterwards.unique_processed > before.unique_processed, 'nothing was stored meanwhile');
    assertSound(target);
    await publishing.stop();
    const events = await readAll(server.client());
    await server.stop();

    assert.equal((await sekali('restore', target, '--data', restored)).code, 0);
    assertSound(restored);
    const second = await startServerProcess(t, { dataDir: restored });
    assert.deepEqual(await readAll(second.client()), events.slice(0, report.events));
    const { duplicates } = await second.client().publish(makeEvents(500, 'load-0-0-', { topic: 'topic-0' }));
    assert.equal(duplicates, 500);
    await second.stop();
  });
});

describe('what a backup holds', () => {
  test('the events, the generations, and what they were', async (t) => {
    const root = tempDir(t);
    const [dataDir, target] = [join(root, 'data'), join(root, 'backup')];
    await makeStore(dataDir);
    assert.equal((await sekali('backup', target, '--data', dataDir)).code, 0);
    assert.deepEqual(readdirSync(target).sort(), ['backup.json', 'keys', 'sekali.db', 'subscriptions.db']);
    const manifest = JSON.parse(readFileSync(join(target, 'backup.json'), 'utf8')) as {
      events: number;
      files: unknown[];
    };
    assert.equal(manifest.events, 480);
    assert.equal(manifest.files.length, 2 + readdirSync(join(target, 'keys')).length);
    assertSound(target);
    const restored = join(root, 'restored');
    assert.equal((await sekali('restore', target, '--data', restored)).code, 0);
    const [copy, original] = [restored, dataDir].map((dir) => SqliteSubscriptions.open({ dataDir: dir }));
    assert.deepEqual(await copy!.get('billing'), await original!.get('billing'));
    assert.deepEqual(await copy!.ack('billing', refsOf(leaseOf(1), 1)), ['done']);
    await Promise.all([copy!.close(), original!.close()]);
  });

  test('no cursor beyond its events, while both go on', async (t) => {
    const root = tempDir(t);
    const dataDir = join(root, 'data');
    const store = SqliteStore.open({ dataDir });
    const subscriptions = SqliteSubscriptions.open({ dataDir });
    await subscriptions.put('billing', DEFINITION, 0);
    for (let n = 0; n < 3; n++) {
      const ended = new AbortController();
      const target = join(root, `backup-${n}`);
      const backup = sekali('backup', target, '--data', dataDir).finally(() => ended.abort());
      for (let group = 0; !ended.signal.aborted; group++) {
        const position = (await appendOne(store, ...makeEvents(10, `${n}-${group}-`))).at(-1)!.position;
        await lease(subscriptions, 'billing', rowsOf(position));
        await subscriptions.ack('billing', refsOf(leaseOf(1), position));
        await nextTurn();
      }
      assert.equal((await backup).code, 0);
      const { last_position } = JSON.parse(readFileSync(join(target, 'backup.json'), 'utf8')) as {
        last_position: number;
      };
      const copy = SqliteSubscriptions.open({ dataDir: target });
      const cursor = (await copy.get('billing'))!.cursor;
      await copy.close();
      assert.ok(cursor > 0 && cursor <= last_position, `${cursor}, ${last_position}`);
    }
    await subscriptions.close();
    await store.close();
  });

  test('nothing: a store that is empty comes back empty', async (t) => {
    const root = tempDir(t);
    const [dataDir, target, restored] = ['data', 'backup', 'restored'].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    await makeStore(dataDir, 0);
    assert.equal((await sekali('backup', target, '--data', dataDir)).code, 0);
    assert.equal((await sekali('restore', target, '--data', restored)).code, 0);
    assertSound(restored);
  });

  test('a lost generation is told, not left out', async (t) => {
    const root = tempDir(t);
    const [dataDir, target] = [join(root, 'data'), join(root, 'backup')];
    await makeStore(dataDir);
    for (const name of readdirSync(join(dataDir, 'keys'))) rmSync(join(dataDir, 'keys', name));
    const { code, stderr } = await sekali('backup', target, '--data', dataDir);
    assert.equal(code, 1);
    assert.match(stderr, /keys\/.* cannot be read: start the server/);
    assert.ok(!existsSync(target));
  });
});

describe('refused', () => {
  test('a target or a data directory that is not empty, a directory that is no backup, one in use', async (t) => {
    const root = tempDir(t);
    const [dataDir, target] = [join(root, 'data'), join(root, 'backup')];
    await makeStore(dataDir);
    await sekali('backup', target, '--data', dataDir);
    const again = await sekali('backup', target, '--data', dataDir);
    assert.deepEqual([again.code, /is not empty/.test(again.stderr)], [2, true]);
    const over = await sekali('restore', target, '--data', dataDir);
    assert.deepEqual([over.code, /is not empty: it has .*sekali\.db/.test(over.stderr)], [2, true]);
    const none = await sekali('restore', dataDir, '--data', join(root, 'new'));
    assert.deepEqual([none.code, /is no backup/.test(none.stderr)], [2, true]);
    const nothing = await sekali('backup', join(root, 'other'), '--data', join(root, 'nothing'));
    assert.deepEqual([nothing.code, /there is no store/.test(nothing.stderr)], [2, true]);
    assert.ok(!existsSync(join(root, 'other')));

    const lock = DataLock.take(join(root, 'used'));
    const used = await sekali('restore', target, '--data', join(root, 'used'));
    lock.release();
    assert.deepEqual([used.code, /is in use by process/.test(used.stderr)], [1, true]);
  });

  test('a backup of which a file is damaged, cut short, missing, or named outside of it; nothing is left of the try', async (t) => {
    const root = tempDir(t);
    const [dataDir, target] = [join(root, 'data'), join(root, 'backup')];
    await makeStore(dataDir);
    await sekali('backup', target, '--data', dataDir);
    const key = `keys/${readdirSync(join(target, 'keys'))[0]}`;
    const DAMAGES: readonly [file: string, damage: (path: string) => void][] = [
      ['sekali.db', flip],
      ['subscriptions.db', flip],
      [key, flip],
      ['sekali.db', (path) => truncateSync(path, 5000)],
      [key, (path) => truncateSync(path, 0)],
      [key, (path) => rmSync(path)],
      ['backup.json', (path) => truncateSync(path, 100)],
      [
        'backup.json',
        (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('sekali.db', '../sekali.db')),
      ],
    ];
    for (const [file, damage] of DAMAGES) {
      const copy = join(root, 'copy');
      cpSync(target, copy, { recursive: true });
      damage(join(copy, file));
      const { code, stderr } = await sekali('restore', copy, '--data', join(root, 'restored'));
      assert.deepEqual([code, stderr.includes(file)], [1, true], `${file}: ${stderr}`);
      const left = existsSync(join(root, 'restored')) ? readdirSync(join(root, 'restored')) : [];
      assert.deepEqual(
        left.filter((name) => name !== 'lock' && name !== 'owner'),
        [],
      );
      rmSync(copy, { recursive: true });
    }
    assert.equal((await sekali('restore', target, '--data', join(root, 'restored'))).code, 0);
  });
});

async function prepared(t: TestContext): Promise<{ root: string; dataDir: string; target: string }> {
  const root = tempDir(t);
  const [dataDir, target] = [join(root, 'data'), join(root, 'backup')];
  await makeStore(dataDir);
  return { root, dataDir, target };
}

describe('killed at any point', () => {
  for (const point of BACKUP_FAILPOINTS.filter((name) => name.startsWith('backup.'))) {
    test(`${point}: there is a whole backup or none, and the next try makes one`, async (t) => {
      const { root, dataDir, target } = await prepared(t);
      for (let time = 1; ; time++) {
        const { signal } = await runCli(['backup', target, '--data', dataDir], {
          env: { SEKALI_FAILPOINT: `${point}:${time}` },
        });
        const restored = join(root, `restored-${time}`);
        const { code } = await sekali('restore', target, '--data', restored);
        if (code === 0) {
          assertSound(restored);
          if (signal === null) return; // the point is reached no more often
          rmSync(target, { recursive: true });
        } else assert.equal(existsSync(join(target, 'backup.json')), false);
        assertSound(dataDir);
        assert.equal(signal, 'SIGKILL');
      }
    });
  }

  for (const point of BACKUP_FAILPOINTS.filter((name) => name.startsWith('restore.'))) {
    test(`${point}: there is a whole store or none, and the next try brings it back`, async (t) => {
      const { root, dataDir, target } = await prepared(t);
      assert.equal((await sekali('backup', target, '--data', dataDir)).code, 0);
      const restored = join(root, 'restored');
      mkdirSync(restored);
      for (let time = 1; ; time++) {
        const { signal } = await runCli(['restore', target, '--data', restored], {
          env: { SEKALI_FAILPOINT: `${point}:${time}` },
        });
        if (existsSync(join(restored, 'sekali.db'))) {
          assertSound(restored);
          if (signal === null) return;
          rmSync(restored, { recursive: true });
        }
        assert.equal(signal, 'SIGKILL');
      }
    });
  }
});
