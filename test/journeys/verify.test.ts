/** What `sekali verify` finds: of a store that is sound nothing, of a damaged one where the damage is. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import type { WireEvent } from '../../src/client/index.ts';
import { SekaliError } from '../../src/errors.ts';
import { keysDir } from '../../src/store/sqlite/connection.ts';
import { sealMeta } from '../../src/store/sqlite/meta.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { type Fault, type VerifyReport, verifyStore } from '../../src/store/sqlite/verify/verify-store.ts';
import type { StoredEvent } from '../../src/store/store-reader.ts';
import { appendOne } from '../contract/store/case.ts';
import { Ledger } from '../support/ledger.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { ON_TERMINAL, runCli } from '../support/process.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';

/** Few keys a generation, so that a small store has many, merged and not. */
const TINY = { hotKeys: 100, mergeFanIn: 3 };
/** No multiple of what a generation has: the last ones are in the log of keys. */
const GROUPS = 31;
const EARLIER_GROUPS = 15;
const GROUP_EVENTS = 40;
const EVENTS = GROUPS * GROUP_EVENTS;
const DAMAGES = 120;

interface Outcome {
  readonly code: number | null;
  readonly faults: Fault[];
  readonly summary: VerifyReport & { sound: boolean };
  readonly stderr: string;
}

async function verify(dataDir: string): Promise<Outcome> {
  const { code, stdout, stderr } = await runCli(['verify', '--data', dataDir]);
  const lines = stdout.split('\n').filter((line) => line !== '');
  const summary = JSON.parse(lines.pop() ?? '{}') as Outcome['summary'];
  return { code, faults: lines.map((line) => JSON.parse(line) as Fault), summary, stderr };
}

/** The same in this process, for who asks a hundred times. */
function faultsOf(dataDir: string, span?: number): Fault[] {
  const faults: Fault[] = [];
  verifyStore({ dataDir, onFault: (fault) => faults.push(fault), ...(span !== undefined && { span }) });
  return faults;
}

function draftOf(group: number, i: number): WireEvent {
  return makeEvent({
    topic: `topic-${i % 3}`,
    event_id: `event-${group}-${i}`,
    payload: { group, i, text: 'x'.repeat(150) },
  });
}

const hooks: (() => void)[] = [];
const suite = { after: (cleanUp: () => void) => void hooks.push(cleanUp) };
after(() => {
  for (const cleanUp of hooks) cleanUp();
});

/** A store that was closed, and the same as kill -9 left it, with a write-ahead log. */
let closed = '';
let killed = '';
let stored: StoredEvent[] = [];

before(async () => {
  const root = tempDir(suite);
  closed = join(root, 'closed');
  killed = join(root, 'killed');
  const store = SqliteStore.open({ dataDir: closed, ...TINY });
  for (let group = 0; group < GROUPS; group++) {
    await appendOne(store, ...Array.from({ length: GROUP_EVENTS }, (_, i) => draftOf(group, i)));
    await store.settled();
  }
  await appendOne(store, { ...draftOf(0, 0), payload: { another: true } }, draftOf(1, 1));
  // What kill -9 leaves: the files as they are. The shared memory is among them.
  cpSync(closed, killed, { recursive: true });
  stored = await readAll(store);
  await store.close();
});

async function readAll(store: SqliteStore): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = await store.events({ order: 'asc', offset: 0, limit: 1000, after });
    all.push(...page.events);
    after = page.next;
  }
  return all;
}

function copyOf(dataDir: string): string {
  const copy = join(tempDir(suite), 'data');
  cpSync(dataDir, copy, { recursive: true });
  return copy;
}

function edit(dataDir: string, sql: string): void {
  const db = new DatabaseSync(join(dataDir, 'sekali.db'));
  db.exec('PRAGMA ignore_check_constraints = ON');
  db.exec(sql);
  db.close();
}

describe('a sound store', () => {
  test('is found sound while a server writes to it, after restarts, and after kill -9', async (t) => {
    const dataDir = join(tempDir(t), 'data');
    const ledger = new Ledger();
    for (let round = 0; round < 3; round++) {
      const server = await startServerProcess(t, { dataDir });
      const client = server.client();
      const stop = { asked: false };
      const load = (async () => {
        for (let n = 0; !stop.asked; n++) {
          await ledger.publish(client, makeEvents(200, `round-${round}-${n}-`, { topic: `topic-${n % 5}` }));
          await ledger.publish(client, makeEvents(100, `round-${round}-${n}-`, { topic: `topic-${n % 5}` }));
        }
      })();
      for (let look = 0; look < 2; look++) {
        const { code, faults, summary } = await verify(dataDir);
        assert.deepEqual({ code, faults }, { code: 0, faults: [] });
        assert.equal(summary.events, summary.last_position);
        assert.equal(summary.keys, summary.last_position);
      }
      stop.asked = true;
      if (round === 1) await server.stop('SIGKILL');
      await load;
      await server.stop();
      const { code, faults } = await verify(dataDir);
      assert.deepEqual({ code, faults }, { code: 0, faults: [] });
    }
  });

  test('is read span by span, whatever the span', () => {
    for (const span of [1, 7, 100, EVENTS - 1, EVENTS, EVENTS + 1])
      assert.deepEqual(faultsOf(closed, span), []);
    assert.deepEqual(faultsOf(killed), []);
  });

  test('is left as it is', () => {
    const dataDir = copyOf(killed);
    const sums = () =>
      readdirSync(dataDir)
        .filter((name) => !name.endsWith('-shm'))
        .map((name) => [
          name,
          existsSync(join(dataDir, name)) &&
            name.startsWith('sekali') &&
            readFileSync(join(dataDir, name)).toString('base64'),
        ]);
    const sumsBefore = sums();
    faultsOf(dataDir);
    assert.deepEqual(sums(), sumsBefore);
  });

  test('says on a terminal what was read, in a line', async () => {
    const { code, stdout } = await runCli(['verify', '--data', closed], { env: ON_TERMINAL });
    assert.equal(code, 0);
    assert.match(
      stripVTControlCharacters(stdout),
      /is sound: 1,240 events and 1,240 keys in \d+ generations read in [\d.]+ s\n$/,
    );
  });
});

test('a directory without a store is a usage error', async (t) => {
  const { code, stderr } = await runCli(['verify', '--data', join(tempDir(t), 'nothing')]);
  assert.equal(code, 2);
  assert.match(stderr, /there is no store in/);
});

describe('what is changed behind the server’s back is found and named', () => {
  const CHANGES: readonly [what: string, sql: string, where: RegExp][] = [
    ['a block is gone', 'DELETE FROM blocks WHERE first_position = 81', /sekali\.db, positions 81 to/],
    [
      'a block has moved',
      'UPDATE blocks SET first_position = 5000 WHERE first_position = 1161',
      /position 5000/,
    ],
    [
      'a byte of an event',
      "UPDATE blocks SET records = CAST(replace(CAST(records AS TEXT), 'event-3-7', 'event-3-8') AS BLOB) WHERE first_position = 121",
      /position 128/,
    ],
    [
      'the name of a topic',
      "UPDATE topics SET topic = 'topic-9' WHERE topic = 'topic-1'",
      /keys\/.*position/,
    ],
    ['a topic is gone', "DELETE FROM topics WHERE topic = 'topic-2'", /position 3/],
    [
      'the secret of the keys',
      "UPDATE meta SET value = zeroblob(16) WHERE name = 'key_secret'",
      /^sekali\.db$/,
    ],
    [
      'the seed of contents',
      "UPDATE meta SET value = zeroblob(8) WHERE name = 'content_seed'",
      /^sekali\.db$/,
    ],
    [
      'the id of the directory',
      "UPDATE meta SET value = zeroblob(16) WHERE name = 'data_id'",
      /^sekali\.db$/,
    ],
    [
      'an entry of the log of keys',
      'UPDATE keys SET entries = zeroblob(length(entries))',
      /log of keys, positions/,
    ],
    ['the log of keys', 'DELETE FROM keys', /log of keys, positions/],
    [
      'a row of the log of keys is cut short',
      'UPDATE keys SET entries = substr(entries, 1, 25)',
      /log of keys from/,
    ],
    [
      'the manifest lacks a generation',
      'DELETE FROM generations WHERE first_position = 1',
      /index of keys, positions 1 to/,
    ],
    ['a counter', 'UPDATE counters SET unique_processed = 7', /counters/],
    [
      'two counters',
      'UPDATE counters SET received = received - 1, duplicate_dropped = duplicate_dropped - 1',
      /counters/,
    ],
    ['the last position', 'UPDATE counters SET last_position = last_position - 40', /position/],
    ['the count of a topic', 'UPDATE topics SET events = events + 1 WHERE topic_id = 1', /topic-0/],
    ['the bytes of a topic', 'UPDATE topics SET bytes = bytes + 1 WHERE topic_id = 1', /topic-0/],
    ['where a topic ends', 'UPDATE topics SET last_position = 1 WHERE topic_id = 1', /topic-0/],
    ['what blocks a topic has', 'UPDATE counters SET topics_indexed_through = last_position', /topic_blocks/],
    ['a conflict', "UPDATE conflicts SET event_id = 'event-0-3'", /conflict 1/],
  ];
  for (const [what, sql, where] of CHANGES) {
    test(what, () => {
      const dataDir = copyOf(closed);
      edit(dataDir, sql);
      const faults = faultsOf(dataDir);
      assert.ok(
        faults.some((fault) => where.test(fault.where)),
        JSON.stringify(faults, null, 1),
      );
    });
  }

  test('when a block was stored', () => {
    const dataDir = copyOf(closed);
    edit(dataDir, 'UPDATE blocks SET processed_at_us = processed_at_us + 1 WHERE first_position = 81');
    assert.ok(faultsOf(dataDir).length > 0);
  });

  test('and the command ends with 1, a line for each fault', async () => {
    const dataDir = copyOf(closed);
    edit(dataDir, 'UPDATE topics SET events = events + 1');
    const { code, faults, summary } = await verify(dataDir);
    assert.equal(code, 1);
    assert.equal(summary.sound, false);
    assert.equal(faults.length, summary.faults);
    assert.deepEqual(faults.at(-1)?.mend, 'restore a backup');
  });
});

/** What is there after damage: the same, less of the same, or nothing at all; `undefined` when the store refuses to open or to read. */
async function serve(dataDir: string): Promise<{ events: StoredEvent[]; verdicts: string[] } | undefined> {
  let store: SqliteStore | undefined;
  try {
    store = SqliteStore.open({ dataDir, ...TINY });
    const events = await readAll(store);
    const verdicts: string[] = [];
    for (let group = 0; group < GROUPS; group += 7) {
      const receipts = await appendOne(
        store,
        ...Array.from({ length: GROUP_EVENTS }, (_, i) => draftOf(group, i)),
      );
      verdicts.push(...receipts.map(({ verdict, position }) => `${verdict} ${position}`));
    }
    return { events, verdicts };
  } catch {
    return undefined;
  } finally {
    await store?.close().catch(() => {});
  }
}

/** Damages a copy, and holds what is found against what is served. */
async function checkDamage(dataDir: string, file: string, damage: (path: string) => void): Promise<void> {
  const copy = copyOf(dataDir);
  try {
    damage(join(copy, file));
    let faults: Fault[];
    try {
      faults = faultsOf(copy);
    } catch (error) {
      assert.ok(error instanceof SekaliError, String(error));
      return;
    }
    if (faults.length > 0) {
      const name = file.replace('sekali.db-wal', 'sekali.db');
      assert.ok(
        faults.some(({ where }) => where.startsWith(name)),
        `${file}: ${JSON.stringify(faults[0])}`,
      );
    }
    const served = await serve(copy);
    if (faults.length > 0 && served === undefined) return;
    // A damaged event is never served, whether or not some are lost.
    for (const event of served?.events ?? []) assert.deepEqual(event, stored[event.position - 1]);
    if (faults.length > 0) return;
    assert.equal(served?.events.length, EVENTS);
    const isKnown = (text: string, i: number) => {
      const position = Math.floor(i / GROUP_EVENTS) * 7 * GROUP_EVENTS + (i % GROUP_EVENTS) + 1;
      return text === `duplicate ${position}`;
    };
    assert.ok(served?.verdicts.every(isKnown), 'a verdict has changed');
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function filesOf(dataDir: string): string[] {
  const keys = readdirSync(keysDir(dataDir)).map((name) => `keys/${name}`);
  return ['sekali.db', 'sekali.db-wal', ...keys].filter(
    (file) => existsSync(join(dataDir, file)) && readFileSync(join(dataDir, file)).length > 0,
  );
}

describe('damage is found, or it hit nothing', () => {
  for (const state of ['closed', 'killed'] as const) {
    test(`flipped bits in each file of a store that was ${state}`, { timeout: 600_000 }, async () => {
      const dataDir = state === 'closed' ? closed : killed;
      const files = filesOf(dataDir);
      await fc.assert(
        fc.asyncProperty(
          fc.nat(files.length - 1),
          fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
          fc.nat(7),
          async (number, part, bit) => {
            await checkDamage(dataDir, files[number]!, (path) => {
              const bytes = readFileSync(path);
              bytes[Math.floor(part * bytes.length)]! ^= 1 << bit;
              writeFileSync(path, bytes);
            });
          },
        ),
        { numRuns: DAMAGES },
      );
    });

    test(`files cut short of a store that was ${state}`, { timeout: 600_000 }, async () => {
      const dataDir = state === 'closed' ? closed : killed;
      for (const file of filesOf(dataDir)) {
        for (const part of [0, Math.random(), 0.99999]) {
          await checkDamage(dataDir, file, (path) =>
            truncateSync(path, Math.floor(readFileSync(path).length * part)),
          );
        }
      }
    });
  }

  test('a database that is missing or empty beside its index is lost, not new', async () => {
    for (const damage of [(path: string) => rmSync(path), (path: string) => truncateSync(path, 0)]) {
      const dataDir = copyOf(closed);
      damage(join(dataDir, 'sekali.db'));
      const { code, faults } = await verify(dataDir);
      assert.equal(code, 1);
      assert.match(faults[0]!.what, /sekali\.db is (missing|empty).*restore a backup/);
    }
  });

  test('every event of a damaged block that is hit is named, and those that are not are not', () => {
    const dataDir = copyOf(closed);
    const path = join(dataDir, 'sekali.db');
    const bytes = readFileSync(path);
    const at =
      bytes.lastIndexOf('event-4-5"') >= 0
        ? bytes.lastIndexOf('event-4-5"')
        : bytes.lastIndexOf('event-4-5shop');
    bytes[at + 6]! ^= 1;
    writeFileSync(path, bytes);
    const where = faultsOf(dataDir).map((fault) => fault.where);
    const position = 4 * GROUP_EVENTS + 5 + 1;
    assert.ok(
      where.some((text) => text.endsWith(`position ${position}`)),
      where.join('; '),
    );
    assert.ok(!where.some((text) => text.endsWith(`position ${position + 1}`)));
  });
});

function copyKeys(from: string, to: string): void {
  rmSync(keysDir(to), { recursive: true, force: true });
  cpSync(keysDir(from), keysDir(to), { recursive: true });
}

/** The store a while earlier. */
async function earlier(): Promise<string> {
  const dataDir = join(tempDir(suite), 'data');
  const store = SqliteStore.open({ dataDir, ...TINY });
  for (let group = 0; group < EARLIER_GROUPS; group++) {
    await appendOne(store, ...Array.from({ length: GROUP_EVENTS }, (_, i) => draftOf(group, i)));
  }
  await store.settled();
  await store.close();
  return dataDir;
}

async function later(dataDir: string): Promise<string> {
  const copy = copyOf(dataDir);
  const store = SqliteStore.open({ dataDir: copy, ...TINY });
  for (let group = EARLIER_GROUPS; group < GROUPS; group++) {
    await appendOne(store, ...Array.from({ length: GROUP_EVENTS }, (_, i) => draftOf(group, i)));
    await store.settled();
  }
  await store.close();
  return copy;
}

describe('an index of another time than the log', () => {
  test('older: named, and built anew by the next start', async () => {
    const old = await earlier();
    const dataDir = await later(old);
    copyKeys(old, dataDir);
    const faults = faultsOf(dataDir);
    assert.ok(faults.length > 0);
    assert.ok(
      faults.every(
        ({ where, what, mend }) =>
          where.startsWith('keys/') && /missing/.test(what) && /start the server/.test(mend),
      ),
    );
    const served = await serve(dataDir);
    assert.equal(served?.events.length, EVENTS);
    assert.ok(served?.verdicts.every((verdict) => verdict.startsWith('duplicate ')));
    assert.deepEqual(faultsOf(dataDir), []);
  });

  test('newer: named, for the log has lost commits', async () => {
    const old = await earlier();
    copyKeys(await later(old), old);
    const faults = faultsOf(old);
    assert.ok(
      faults.some(({ what }) => /the log ends at 600: sekali\.db is older than keys/.test(what)),
      JSON.stringify(faults),
    );
  });

  test('of another store: named', () => {
    const dataDir = copyOf(closed);
    const other = join(tempDir(suite), 'data');
    cpSync(closed, other, { recursive: true });
    edit(other, "UPDATE meta SET value = randomblob(16) WHERE name = 'data_id'");
    const db = new DatabaseSync(join(other, 'sekali.db'));
    sealMeta(db);
    db.close();
    copyFileSync(join(other, 'sekali.db'), join(dataDir, 'sekali.db'));
    assert.ok(faultsOf(dataDir).every(({ where }) => where.startsWith('keys/')));
  });
});
