/** A store moves to another one whole: positions, keys, verdicts, counts and conflicts. Or it does not move at all. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { Client } from 'pg';
import type { PublishAnswer } from '../../src/protocol/wire.ts';
import { PostgresImport } from '../../src/store/postgres/import-store.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { TransferReader } from '../../src/transfer/transfer-reader.ts';
import { appendOne } from '../contract/store/case.ts';
import { DEFINITION } from '../contract/subscriptions/case.ts';
import { send } from '../support/http.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { runCli, startCli } from '../support/process.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { useServices } from '../support/services/services.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const services = useServices('postgres');

async function publish(server: ServerProcess, body: string) {
  const answer = await send(server.url, '/publish?results=all', { method: 'POST', body });
  assert.equal(answer.status, 200, answer.text);
  return answer.json<PublishAnswer>().results ?? [];
}

const READ = [
  '/events?limit=1000',
  '/events?limit=1000&order=desc&topic=debug',
  '/topics',
  '/conflicts?limit=1000',
];

/** What a reader is told, as text; of the figures those that are counted. */
async function told(server: ServerProcess): Promise<string[]> {
  const answers = await Promise.all(READ.map((path) => send(server.url, path)));
  const { uptime_seconds: _, ...stats } = (await send(server.url, '/stats')).json();
  return [...answers.map((answer) => answer.text), JSON.stringify(stats)];
}

/** Payloads and times that no printer of values would give back. */
const ODD = `[
  {"topic":"odd","event_id":"a","timestamp":"0001-01-01T00:00:00Z","source":"s","payload":{"n":1.0,"big":12345678901234567890, "__proto__":1}},
  {"topic":"odd","event_id":"b","timestamp":"0000-01-01T00:00:00Z","source":"s","payload":{\n  "lines": ["\\u0000", "\\ud800"],\r\n"x":{}}},
  {"topic":"odd","event_id":",\\"payload\\":{","timestamp":"9999-12-31T23:59:59.999999Z","source":"\\u00e9\\ud83d\\ude00","sequence":9007199254740991,"payload":{",\\"payload\\":":1}},
  {"topic":"o\\"dd\\\\é","event_id":"d","timestamp":"1969-12-31T23:59:59.999999+05:30","source":"s","sequence":0,"payload":{}}
]`;

const DEBUG = makeEvents(25, 'd-', { topic: 'debug' });
const ORDERS = makeEvents(300, 'o-');
const CHANGED = ORDERS.slice(0, 30).map((event) => ({ ...event, payload: { changed: event.event_id } }));
const LARGE = makeEvent({ event_id: 'o-7', payload: { text: 'x'.repeat(20_000) } });
const WINDOWED = makeEvents(5, 'w-', { topic: 'long' });
const SHORT = makeEvents(3, 's-', { topic: 'short' });

/** Everything again, and what is new, changed, retired, or known for a time only. */
const AGAIN = [
  ...DEBUG,
  ...ORDERS,
  ...CHANGED,
  ...WINDOWED,
  makeEvent({ topic: 'debug', event_id: 'd-0', payload: {} }),
];

/** A server on SQLite in which there is something of every kind. */
async function startFilled(t: TestContext): Promise<{ server: ServerProcess; dataDir: string }> {
  const dataDir = tempDir(t);
  const args = ['--retention', 'debug:count=5', '--dedup-window', 'long:52w;short:1s'];
  const server = await startServerProcess(t, { dataDir, args });
  await publish(server, ODD);
  await publish(server, JSON.stringify([...DEBUG, ...ORDERS, ...WINDOWED]));
  await publish(server, JSON.stringify([...ORDERS, ...CHANGED, LARGE, makeEvent({ topic: '' })]));
  await publish(server, JSON.stringify(SHORT));
  await until('the window is over', async () => {
    const [receipt] = await publish(server, JSON.stringify(SHORT.slice(0, 1)));
    return receipt?.verdict === 'stored';
  });
  await until(
    'events are retired',
    async () => (await server.client().events({ topic: 'debug' })).events.length === 5,
  );
  return { server, dataDir };
}

describe('from SQLite to PostgreSQL', services.options, () => {
  test('all that readers and publishers are told stays, and from there to another database', async (t) => {
    const { server, dataDir } = await startFilled(t);
    const file = join(tempDir(t), 'store.ndjson');
    const exported = await runCli(['export', '--data', dataDir, '--output', file]);
    assert.deepEqual([exported.code, exported.stdout], [0, ''], exported.stderr);
    assert.match(
      exported.stderr,
      /^exported: \d+ events, 20 keys of retired ones, 6 topics, 0 subscriptions, 31 conflicts in /,
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);

    const before = await told(server);
    const receipts = await publish(server, JSON.stringify(AGAIN));
    const [first, second] = [await services.postgres(), await services.postgres()];
    const imported = await runCli(['import', file], { env: { DATABASE_URL: first } });
    assert.deepEqual([imported.code, imported.stdout], [0, ''], imported.stderr);
    const again = await runCli(['export', '--database-url', first]);
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(body(again.stdout), body(readFileSync(file, 'utf8')));
    const further = await runCli(['import', '--database-url', second], { input: again.stdout });
    assert.equal(further.code, 0, further.stderr);

    for (const databaseUrl of [first, second]) {
      const moved = await startServerProcess(t, { dataDir: tempDir(t), env: { DATABASE_URL: databaseUrl } });
      assert.deepEqual(await told(moved), before);
      assert.deepEqual(await publish(moved, JSON.stringify(AGAIN)), receipts);
      const known = receipts.filter(({ retired }) => retired === true).map(({ verdict }) => verdict);
      assert.deepEqual(known, [...Array.from({ length: 20 }, () => 'duplicate'), 'conflict']);
      const [stored] = await publish(moved, JSON.stringify([makeEvent({ event_id: 'new' })]));
      const last = JSON.parse(before[0]!) as { events: { position: number }[] };
      assert.deepEqual([stored?.verdict, stored?.position], ['stored', last.events.at(-1)!.position + 1]);
      const newest = (await send(moved.url, '/conflicts?limit=1')).json<{
        conflicts: { number: number }[];
      }>();
      assert.equal(newest.conflicts[0]?.number, 62);
      await moved.stop();
    }
  });

  test('a key whose window is over stays forgotten; one that is not ends when it would have', async (t) => {
    const dataDir = tempDir(t);
    const args = ['--dedup-window', '*:2s'];
    const server = await startServerProcess(t, { dataDir, args });
    await publish(server, JSON.stringify(SHORT));
    await until('the window is over', async () => {
      const [receipt] = await publish(server, JSON.stringify(SHORT.slice(0, 1)));
      return receipt?.verdict === 'stored';
    });
    const { stdout } = await runCli(['export', '--data', dataDir]);
    const database = await services.postgres();
    const { code, stderr } = await runCli(['import', '--database-url', database], { input: stdout });
    assert.equal(code, 0, stderr);
    const moved = await startServerProcess(t, { dataDir: tempDir(t), args, env: { DATABASE_URL: database } });
    const events = await Promise.all(
      [server, moved].map(async ({ url }) => (await send(url, '/events')).text),
    );
    assert.equal(events[0], events[1]);
    const forgotten = new Set<string | null | undefined>();
    await until('all is forgotten', async () => {
      for (const { verdict, event_id } of await publish(moved, JSON.stringify(SHORT))) {
        if (verdict === 'stored') forgotten.add(event_id);
      }
      return forgotten.size === SHORT.length;
    });
  });

  test('a server under load is exported as it is at one moment', async (t) => {
    const dataDir = tempDir(t);
    const server = await startServerProcess(t, { dataDir });
    const run = new AbortController();
    const publishing = (async () => {
      for (let n = 0; !run.signal.aborted; n++) await server.client().publish(makeEvents(500, `load-${n}-`));
    })();
    await until('something is stored', async () => (await server.client().stats()).unique_processed > 5000);
    const { stdout, code } = await runCli(['export', '--data', dataDir]);
    run.abort();
    await publishing;
    assert.equal(code, 0);
    const database = await services.postgres();
    assert.equal((await runCli(['import', '--database-url', database], { input: stdout })).code, 0);
    const moved = await startServerProcess(t, { dataDir: tempDir(t), env: { DATABASE_URL: database } });
    const { unique_processed } = await moved.client().stats();
    assert.ok(
      unique_processed > 5000 && unique_processed <= (await server.client().stats()).unique_processed,
    );
    const { duplicates } = await moved.client().publish(makeEvents(500, 'load-0-'));
    assert.equal(duplicates, 500);
  });

  test('nothing: an empty store is an empty store', async (t) => {
    const dataDir = tempDir(t);
    await SqliteStore.open({ dataDir }).close();
    const { stdout } = await runCli(['export', '--data', dataDir]);
    const database = await services.postgres();
    assert.equal((await runCli(['import', '--database-url', database], { input: stdout })).code, 0);
    const moved = await startServerProcess(t, { dataDir: tempDir(t), env: { DATABASE_URL: database } });
    const receipts = await publish(moved, JSON.stringify(makeEvents(3)));
    assert.deepEqual(
      receipts.map(({ verdict, position }) => [verdict, position]),
      [1, 2, 3].map((position) => ['stored', position]),
    );
  });
});

/**
 * The lines of an export without the header and the last one, which have its time in them. Of a key whose window is over, one
 * store still knows when that was.
 */
function body(text: string): string[] {
  const lines = text.split('\n').slice(1, -2);
  return lines.map((line) =>
    line.includes('"topic":"short"') ? line.replace(/"forgotten":true|"expires_at":"[^"]*"/, '') : line,
  );
}

/** An export with other lines, as whoever wrote them would have ended it. */
function sealed(lines: readonly string[]): string {
  const text = lines.map((line) => `${line}\n`).join('');
  const count = (kind: string) => lines.filter((line) => line.startsWith(`{"kind":"${kind}"`)).length;
  const end = {
    kind: 'end',
    topics: count('topic'),
    subscriptions: count('subscription'),
    deliveries: count('delivery'),
    events: count('event'),
    keys: count('key'),
    conflicts: count('conflict'),
    dead_letters: count('dead_letter'),
    sha256: createHash('sha256').update(text).digest('hex'),
  };
  return `${text}${JSON.stringify(end)}\n`;
}

/** Imports a text that comes in pieces of all sizes. */
async function importText(database: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  async function* pieces() {
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 501) {
      yield bytes.subarray(at, at + size);
    }
  }
  const target = await PostgresImport.open(database);
  try {
    await new TransferReader('a file', target).read(pieces());
  } finally {
    await target.close();
  }
}

const SUBSCRIPTION = {
  kind: 'subscription',
  name: 'billing',
  cursor: 3,
  created_at: '2026-01-31T12:00:00.000000Z',
  definition: DEFINITION,
  version: '0123456789abcdef0123456789abcdef',
};
const DELIVERY = { kind: 'delivery', subscription: 'billing', position: 2, topic: 'orders', attempts: 1 };

async function smallExport(t: TestContext): Promise<{ dataDir: string; text: string }> {
  const dataDir = tempDir(t);
  const store = SqliteStore.open({ dataDir });
  await appendOne(store, ...makeEvents(4));
  await store.close();
  const { stdout } = await runCli(['export', '--data', dataDir]);
  return { dataDir, text: stdout };
}

describe('refused, and nothing is done', services.options, () => {
  test('a file that is not what an export has written, each with its line and the rule', async (t) => {
    const { text } = await smallExport(t);
    const lines = text.split('\n').slice(0, -2); // header, topic, four events
    const replaced = (at: number, line: string) => sealed(lines.map((old, i) => (i === at ? line : old)));
    const header = (change: (header: Record<string, unknown>) => void) => {
      const members = JSON.parse(lines[0]!) as Record<string, unknown>;
      change(members);
      return replaced(0, JSON.stringify(members));
    };
    const subscribed = (change: object, ...deliveries: object[]) =>
      sealed([
        ...lines,
        JSON.stringify({ ...SUBSCRIPTION, ...change }),
        ...deliveries.map((one) => JSON.stringify({ ...DELIVERY, ...one })),
      ]);
    const CASES: readonly [text: string, told: RegExp][] = [
      ['', /line 0: there is no line/],
      ['{"topic":"a"}\n', /line 1: it is not the header/],
      ['\u0000\u0001\n', /line 1: it is no JSON/],
      [
        header((members) => Object.assign(members, { version: 3 })),
        /line 1: it is of version 3 of the format, and this Sekali knows versions up to 2/,
      ],
      [
        header((members) => Object.assign(members, { key_secret: '00' })),
        /line 1: key_secret must be 32 hex/,
      ],
      [
        header((members) => Object.assign(members, { last_position: 3 })),
        /line 6: position is beyond last_position/,
      ],
      [text.slice(0, 900), /line \d: the file is cut short/],
      [`${lines.join('\n')}\n`, /line 6: the file is cut short behind it/],
      [text.slice(0, -1), /line 7: the file is cut short/],
      [text.replace('"i":2', '"i":3'), /line 7: the checksum of all lines before does not hold/],
      [`${text}{}\n`, /line 8: there is a line behind the last one/],
      [
        sealed(lines).replace('"events":4,"k', '"events":5,"k'),
        /line 7: 5 events were written, and 4 are there/,
      ],
      [replaced(3, lines[3]!.slice(0, -1)), /line 4: payload is no JSON/],
      [replaced(3, lines[3]!.replace('"i":1', '"i":01')), /line 4: payload is no JSON: expected/],
      [replaced(3, lines[3]!.replace('{"i":1}', '[1]')), /line 4: payload is no JSON object/],
      [
        replaced(3, lines[3]!.replace('"topic":"orders"', '"topic":"other"')),
        /line 4: there is no line of its topic/,
      ],
      [replaced(3, lines[3]!.replace('"source":"shop"', '"source":" "')), /line 4: source must not be blank/],
      [replaced(3, lines[3]!.replace('2026-01-31', '2026-02-31')), /line 4: timestamp must be a time/],
      [replaced(3, lines[2]!), /line 4: position must be above/],
      [
        replaced(3, lines[3]!.replace('event-1', 'event-0')),
        /positions 1 and 2 have the same topic and event_id/,
      ],
      [sealed(lines.slice(0, -1)), /topic "orders" must have 4 events, and 3 are there/],
      [
        header((members) => Object.assign(members['counters'] as object, { conflicts: 1 })),
        /are not the sums/,
      ],
      [subscribed({ cursor: 5 }), /line 7: cursor is beyond last_position/],
      [subscribed({ definition: {} }), /line 7: topics must be a list of texts/],
      [subscribed({}, { position: 4 }), /line 8: position is beyond the cursor/],
      [subscribed({}, { subscription: 'none' }), /line 8: there is no line of its subscription/],
      [subscribed({ version: 'old' }), /line 7: version must be 32 hexadecimal digits/],
      [subscribed({}, { died_at: SUBSCRIPTION.created_at }), /line 8: reason must be a text/],
      [subscribed({}, {}, {}), /line 9: position must be above that of the delivery before/],
    ];
    const database = await services.postgres();
    for (const [input, expected] of CASES) {
      await assert.rejects(importText(database, input), (error: Error) => {
        assert.match(error.message, expected);
        assert.match(error.message, /^a file, line .*; nothing was imported$/);
        return true;
      });
    }
    const bad = await runCli(['import', '--database-url', database], { input: text.slice(0, -1) });
    assert.deepEqual(
      [bad.code, bad.stderr.startsWith('sekali: standard input, line 7: ')],
      [1, true],
      bad.stderr,
    );
    const { code, stderr } = await runCli(['import', '--database-url', database], { input: text });
    assert.equal(code, 0, stderr);
    const full = await runCli(['import', '--database-url', database], { input: text });
    assert.deepEqual([full.code, /is not empty/.test(full.stderr)], [2, true]);
  });

  test('an export of the version before, which had no subscriptions, is imported', async (t) => {
    const { text } = await smallExport(t);
    const [header = '', ...lines] = text.split('\n').slice(0, -2);
    const old = sealed([header.replace('"version":2', '"version":1'), ...lines]);
    const database = await services.postgres();
    await importText(database, old.replace('"subscriptions":0,"deliveries":0,', ''));
    const moved = await startServerProcess(t, { dataDir: tempDir(t), env: { DATABASE_URL: database } });
    assert.equal((await moved.client().stats()).unique_processed, 4);
  });

  test('a database that a server is on; an import that is killed leaves an empty store', async (t) => {
    const { text } = await smallExport(t);
    const database = await services.postgres();
    const server = await startServerProcess(t, { dataDir: tempDir(t), env: { DATABASE_URL: database } });
    const used = await runCli(['import', '--database-url', database], { input: text });
    assert.deepEqual([used.code, /stop its servers/.test(used.stderr)], [1, true], used.stderr);
    await server.stop();

    const child = startCli(['import', '--database-url', database]);
    child.stdin!.write(text.slice(0, -40));
    const client = new Client({ connectionString: database });
    await client.connect();
    await until('it has begun', async () => {
      const { rows } = await client.query(
        "SELECT 1 FROM pg_locks WHERE relation = 'sekali.keys'::regclass AND mode = 'AccessExclusiveLock' AND granted",
      );
      return rows.length > 0;
    });
    await client.end();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await until('the server has noticed', async () => {
      const { code } = await runCli(['import', '--database-url', database], { input: text });
      return code === 0;
    });
  });

  test('a damaged store, an output that is there, a command line that names no store or two', async (t) => {
    const { dataDir } = await smallExport(t);
    const file = join(tempDir(t), 'out');
    writeFileSync(file, 'mine');
    const CASES: readonly [args: string[], code: number, told: RegExp][] = [
      [['export', '--data', dataDir, '--output', file], 2, /is there already/],
      [['export', '--data', join(dataDir, 'none'), '--output', `${file}-2`], 2, /there is no store/],
      [['export', '--data', dataDir, '--database-url', 'postgres://x/y'], 2, /two stores/],
      [['export', '--database-url', 'mysql://x/y'], 2, /PostgreSQL/],
      [['import'], 2, /--database-url/],
      [['import', 'a', 'b', '--database-url', 'postgres://x/y'], 2, /one FILE/],
      [['import', `${file}-3`, '--database-url', 'postgres://x/y'], 1, /no such file/],
    ];
    for (const [args, code, expected] of CASES) {
      const result = await runCli(args);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, expected);
    }
    assert.equal(readFileSync(file, 'utf8'), 'mine');
    truncateSync(join(dataDir, 'sekali.db'), 4096);
    const damaged = await runCli(['export', '--data', dataDir, '--output', `${file}-4`]);
    assert.notEqual(damaged.code, 0);
  });
});
