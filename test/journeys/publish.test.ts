import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Report } from '../../src/cli/publish/report.ts';
import { type Lie, LyingServer } from '../support/lying-server.ts';
import { type Finished, finished, runCli, startCli } from '../support/process.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

/** Without arguments of its own: the report of 2,000 events, of which 400 are re-sent. */
function publishTo({ url }: { url: string }, ...args: string[]): Promise<Finished> {
  return runCli(['publish', '--url', url, '--total', '2000', '--batch-size', '100', '--seed', '7', ...args]);
}

/** The one line that a publisher writes to a pipe. */
function reportOf({ stdout, stderr }: Finished): Report {
  assert.match(stdout, /^\{.*\}\n$/, `not one line of JSON: ${stdout}${stderr}`);
  return JSON.parse(stdout) as Report;
}

async function startServer(t: TestContext, dataDir = tempDir(t), port = 0): Promise<ServerProcess> {
  return await startServerProcess(t, { dataDir, port, args: ['--log-level', 'info'] });
}

test('a publisher accounts for every event that it sent', async (t) => {
  const server = await startServer(t);
  const ended = await publishTo(server);
  const report = reportOf(ended);
  assert.equal(ended.code, 0);
  assert.equal(ended.stderr, '');
  assert.deepEqual(report.answers, { processed: 1600, duplicates: 400, conflicts: 0, rejected: 0 });
  assert.deepEqual(report.log, {
    added: 1600,
    fresh: 1600,
    earlier: 0,
    missing: 0,
    doubled: 0,
    altered: 0,
    examples: [],
  });
  const { received, unique_processed, duplicate_dropped, topics } = await server.client().stats();
  assert.deepEqual([received, unique_processed, duplicate_dropped], [2000, 1600, 400]);
  assert.deepEqual(topics, ['topic-1', 'topic-2', 'topic-3', 'topic-4']);
});

test('a publisher survives a server that is killed in the middle and started again', async (t) => {
  const dataDir = tempDir(t);
  const server = await startServer(t, dataDir);
  const publisher = startCli([
    'publish',
    '--url',
    server.url,
    '--total',
    '20000',
    '--rate',
    '10000',
    '--concurrency',
    '8',
    '--seed',
    '9',
  ]);
  const ended = finished(publisher);
  t.after(() => publisher.kill('SIGKILL'));
  await until('some events are stored', async () => (await server.client().stats()).unique_processed > 3000);
  await server.stop('SIGKILL');
  const restarted = await startServer(t, dataDir, Number(new URL(server.url).port));

  const { code, stdout, stderr } = await ended;
  const report = reportOf({ code, stdout, stderr, signal: null });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /trying again for up to 300 s/);
  assert.ok(report.retries > 0, 'the server was away while the publisher ran');
  assert.deepEqual([report.sent, report.distinct, report.resent], [20_000, 16_000, 4000]);
  assert.equal(report.log?.fresh, 16_000);

  const stats = await restarted.client().stats();
  assert.equal(stats.unique_processed, 16_000);
  assert.equal(stats.received, report.stats?.received);
  assert.equal(stats.received, stats.unique_processed + stats.duplicate_dropped);
  assert.equal(stats.conflicts, 0);
});

test('the same seed a second time is all duplicates, and accounted for all the same', async (t) => {
  const server = await startServer(t);
  await publishTo(server);
  const ended = await publishTo(server, '--start', '2031-01-01T00:00:00Z', '--sources', 'elsewhere');
  const { answers, log, stats } = reportOf(ended);
  assert.equal(ended.code, 0);
  assert.deepEqual([answers.processed, answers.duplicates], [0, 2000]);
  assert.deepEqual([log?.added, log?.earlier, log?.missing], [0, 1600, 0]);
  assert.deepEqual([stats?.received, stats?.unique_processed], [2000, 0]);
});

test('a longer run of the same seed adds only what is new', async (t) => {
  const server = await startServer(t);
  await publishTo(server);
  const ended = await publishTo(server, '--total', '3000');
  const { log } = reportOf(ended);
  assert.equal(ended.code, 0);
  assert.deepEqual([log?.fresh, log?.earlier, log?.missing], [800, 1600, 0]);
});

test('publishers that run at the same time account for their own events', async (t) => {
  const server = await startServer(t);
  const seeds = ['1', '2', '2'];
  const ended = await Promise.all(
    seeds.map((seed) => publishTo(server, '--seed', seed, '--concurrency', '8')),
  );
  for (const each of ended) {
    assert.equal(each.code, 0, each.stderr);
    assert.equal(reportOf(each).log?.missing, 0);
  }
  const { received, unique_processed } = await server.client().stats();
  assert.deepEqual([received, unique_processed], [6000, 3200]);
});

test('an interrupted publisher finishes what is under way and reports what it sent', async (t) => {
  const server = await startServer(t);
  const publisher = startCli(['publish', '--url', server.url, '--total', '1000000', '--rate', '5000']);
  const ended = finished(publisher);
  t.after(() => publisher.kill('SIGKILL'));
  await until('some events are stored', async () => (await server.client().stats()).unique_processed > 500);
  publisher.kill('SIGINT');
  const { code, stdout, stderr } = await ended;
  const report = reportOf({ code, stdout, stderr, signal: null });
  assert.equal(code, 0, stderr);
  assert.equal(report.interrupted, true);
  assert.ok(report.sent < 1_000_000);
  assert.equal((await server.client().stats()).received, report.sent);
});

describe('the same seed', { concurrency: 2 }, () => {
  test('sends the same bytes in the same order', async (t) => {
    const servers = [await LyingServer.start(t, 'none'), await LyingServer.start(t, 'none')] as const;
    for (const server of servers) {
      const { code, stderr } = await publishTo(server, '--concurrency', '1');
      assert.equal(code, 0, stderr);
    }
    assert.equal(servers[0].bodies.length, 20);
    assert.deepEqual(servers[0].bodies, servers[1].bodies);
  });

  test('makes the same batches, however many requests are under way', async (t) => {
    const servers = [await LyingServer.start(t, 'none'), await LyingServer.start(t, 'none')] as const;
    await publishTo(servers[0], '--concurrency', '1');
    await publishTo(servers[1], '--concurrency', '16');
    assert.deepEqual(servers[0].bodies, servers[1].bodies.sort(byFirstEvent(servers[0].bodies)));
  });
});

/** Requests overtake each other on the way: puts them in the order of a run in which they could not. */
function byFirstEvent(order: readonly string[]): (left: string, right: string) => number {
  return (left, right) => order.indexOf(left) - order.indexOf(right);
}

describe('a publisher is not deceived by a server that', { concurrency: 2 }, () => {
  const cases: [Lie, string, ...RegExp[]][] = [
    ['drop', 'loses one event', /^not in the log: 1 event of 1,600$/, /^of these are: sim-7-200-\d+$/],
    ['double', 'keeps one event twice', /^in the log more than once: 1 event$/],
    ['alter', 'keeps another payload', /^in the log with another payload: 1 event$/],
    ['not counted', 'forgets one event in its counters', /^\/stats counted too few received: 1,999 events/],
    [
      'does not add up',
      'counts one event too many',
      /^\/stats does not add up: 2,001 events received, 2,000/,
    ],
    [
      'conflict',
      'takes one event for a conflict',
      /^answered as conflicts: 1 event/,
      /^not in the log: 1 event/,
    ],
    [
      'reject',
      'refuses one event',
      /^rejected: 1 event, the first because it is odd$/,
      /^not in the log: 1 ev/,
    ],
  ];
  for (const [lie, what, ...expected] of cases) {
    test(what, async (t) => {
      const ended = await publishTo(await LyingServer.start(t, lie));
      const report = reportOf(ended);
      assert.equal(ended.code, 1);
      assert.equal(report.accounted_for, false);
      for (const pattern of expected) {
        assert.ok(
          report.problems.some((problem) => pattern.test(problem)),
          `${pattern} is not among: ${report.problems.join('; ')}`,
        );
      }
      for (const problem of report.problems) assert.ok(ended.stderr.includes(`sekali: ${problem}\n`));
    });
  }
});

test('a lost answer is followed by a retry, which the report tells apart from what was sent', async (t) => {
  const ended = await publishTo(await LyingServer.start(t, 'cut'));
  const { sent, answers, stats, log, retries } = reportOf(ended);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual([sent, stats?.received, retries], [2000, 2100, 1]);
  assert.deepEqual([log?.fresh, stats?.unique_processed], [1600, 1600]);
  assert.ok(
    answers.processed < 1600,
    'of the events whose answer was lost, the retry said that they are duplicates',
  );
});

test('a publisher gives up when the server stays away, and says how much has no verdict', async (t) => {
  const server = await startServer(t);
  const publisher = startCli([
    'publish',
    '--url',
    server.url,
    '--total',
    '100000',
    '--rate',
    '5000',
    '--retry-for-ms',
    '50',
  ]);
  const ended = finished(publisher);
  t.after(() => publisher.kill('SIGKILL'));
  await until('some events are stored', async () => (await server.client().stats()).unique_processed > 500);
  await server.stop('SIGKILL');
  const { code, stdout, stderr } = await ended;
  const report = reportOf({ code, stdout, stderr, signal: null });
  assert.equal(code, 1);
  assert.ok(report.unanswered > 0);
  assert.deepEqual([report.stats, report.log], [null, null]);
  assert.match(report.problems.join('\n'), /^no verdict for [\d,]+ events: no answer from http/m);
  assert.match(report.problems.join('\n'), /the server cannot be asked what it has/);
});

test('a publisher that never reaches a server says so and reports nothing', async (t) => {
  const server = await startServer(t);
  await server.stop();
  const { code, stdout, stderr } = await publishTo(server, '--retry-for-ms', '0');
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /^sekali: no answer from http:.*ECONNREFUSED/);
});

test('the older environment names are understood', async (t) => {
  const server = await startServer(t);
  const ended = await runCli(['publish'], {
    env: {
      TARGET_URL: server.url,
      TOPIC: 'orders',
      RATE_PER_SEC: '100000',
      DUP_RATE: '0.5',
      BATCH_SIZE: '7',
      TOTAL_EVENTS: '100',
    },
  });
  const { sent, resent } = reportOf(ended);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual([sent, resent], [100, 50]);
  assert.deepEqual((await server.client().stats()).topics, ['orders']);
});

test('settings that make no sense are all named, and nothing is sent', async () => {
  const args = ['--dup-rate', '2', '--topics', ' ', '--start', 'now', '--total', '0'];
  const { code, stdout, stderr } = await runCli(['publish', ...args]);
  assert.equal(code, 2);
  assert.equal(stdout, '');
  for (const flag of ['--dup-rate', '--topics', '--start', '--total']) {
    assert.match(stderr, new RegExp(`^sekali: ${flag} must be`, 'm'));
  }
});
