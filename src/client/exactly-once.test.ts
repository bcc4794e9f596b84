import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { type DeliveryContext, exactlyOnce, type MarkStore, mysqlStyle, sqlite } from './index.ts';

const context = (subscription = 'mailer') => ({ subscription }) as DeliveryContext;
const event = (event_id: string, topic = 'orders') => ({ topic, event_id, position: 1 });

async function open() {
  const db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE work (event_id TEXT)');
  const store = sqlite(db);
  await store.prepare?.();
  await store.prepare?.();
  return { db, store, count: () => Number(db.prepare('SELECT count(*) AS n FROM work').get()?.['n']) };
}

test('an event that comes again finds its mark; another event, topic or subscription has none', async () => {
  const { store, count } = await open();
  const handle = exactlyOnce(store, async ({ event_id }: ReturnType<typeof event>, tx) => {
    tx.prepare('INSERT INTO work VALUES (?)').run(event_id);
  });
  for (let i = 0; i < 3; i++) await handle(event('a'), context());
  assert.equal(count(), 1);
  await handle(event('a '), context());
  await handle(event('a', 'Orders'), context());
  await handle(event('a'), context('billing'));
  assert.equal(count(), 4);
});

test('work that fails leaves neither effect nor mark', async () => {
  const { store, count } = await open();
  let failures = 1;
  const handle = exactlyOnce(store, async ({ event_id }: ReturnType<typeof event>, tx) => {
    tx.prepare('INSERT INTO work VALUES (?)').run(event_id);
    if (failures-- > 0) throw new Error('half way');
  });
  await assert.rejects(async () => await handle(event('a'), context()), /half way/);
  assert.equal(count(), 0);
  await handle(event('a'), context());
  assert.equal(count(), 1);
});

test('the same event at many handlers at once is worked on by one; transactions of SQLite take turns', async () => {
  const { store, count } = await open();
  const handle = exactlyOnce(store, async ({ event_id }: ReturnType<typeof event>, tx) => {
    await new Promise(setImmediate);
    tx.prepare('INSERT INTO work VALUES (?)').run(event_id);
  });
  await Promise.all(Array.from({ length: 40 }, (_, i) => handle(event(`e${i % 4}`), context())));
  assert.equal(count(), 4);
});

test('old marks are cleared away in bites, and trouble with it is no trouble of the event', async () => {
  const { db, store } = await open();
  const insert = db.prepare('INSERT INTO sekali_marks VALUES (?, ?, ?, 1, ?)');
  for (let i = 0; i < 7; i++) insert.run('s', 't', `e${i}`, Date.now() - 10_000);
  insert.run('s', 't', 'young', Date.now());
  assert.equal(await store.forget?.(5000, 5), 5);
  assert.equal(await store.forget?.(5000, 5), 2);
  assert.equal(await store.forget?.(5000, 5), 0);

  const told = Promise.withResolvers<unknown>();
  const failing: MarkStore<unknown> = {
    ...store,
    transaction: async (work) => await work(undefined),
    mark: async () => true,
    forget: async () => await Promise.reject(new Error('locked')),
  };
  await exactlyOnce(failing, () => {}, { onTrouble: told.resolve })(event('b'), context());
  assert.match(String(await told.promise), /locked/);
});

test('in MySQL a key that is there is no error; others are, and a broken connection is not used again', async () => {
  const calls: string[] = [];
  let failure: unknown;
  const connection = {
    async query(sql: string) {
      calls.push(sql.trim().split(/\s/)[0] ?? '');
      if (failure !== undefined) throw failure as Error;
      return [{ affectedRows: 3 }, undefined];
    },
    beginTransaction: async () => calls.push('begin'),
    commit: async () => calls.push('commit'),
    rollback: async () => await Promise.reject(new Error('the connection is gone')),
    release: () => calls.push('release'),
    destroy: () => calls.push('destroy'),
  };
  const store = mysqlStyle({ getConnection: async () => connection });
  const handle = exactlyOnce(store, () => calls.push('work'));
  await handle(event('a'), context());
  failure = Object.assign(new Error('Duplicate entry'), { errno: 1062 });
  await handle(event('a'), context());
  failure = Object.assign(new Error('Lock wait timeout'), { errno: 1205 });
  await assert.rejects(async () => await handle(event('a'), context()), /Lock wait/);
  const done = 'CREATE release begin INSERT work commit release DELETE release';
  const known = 'begin INSERT commit release';
  assert.equal(calls.join(' '), `${done} ${known} begin INSERT destroy`);
});
