import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { StatsAnswer, WireEvent, WireStoredEvent } from '../../src/client/index.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { type Finished, finished, ON_TERMINAL, runCli, startCli } from '../support/process.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';

/** White space, a number beyond a double, and a member that a careless parser loses. */
const EXACT_PAYLOAD = '{"n": 12345678901234567890, "f": 1.0, "nested": {"__proto__": 1}}';
const BULK = 1500;

let server: ServerProcess;

const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanups.toReversed()) await cleanUp();
});

before(async () => {
  const hooks = { after: (cleanUp: () => unknown) => void cleanups.push(cleanUp) } as Pick<
    TestContext,
    'after'
  >;
  server = await startServerProcess(hooks, { dataDir: tempDir(hooks) });
  const client = server.client();
  const exact = JSON.stringify(makeEvent()).replace('{"total":129.95}', EXACT_PAYLOAD);
  await client.publish(exact);
  await client.publish([
    makeEvent({ event_id: 'order-2' }),
    makeEvent({ event_id: 'order-2', payload: { total: 1 } }),
  ]);
  await client.publish(makeEvents(BULK, 'bulk-', { topic: 'bulk' }));
});

function sekali(...args: string[]): Promise<Finished> {
  return runCli(args, { env: { SEKALI_URL: server.url } });
}

async function onTerminal(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await runCli(args, { env: { SEKALI_URL: server.url, ...ON_TERMINAL } });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  return stripVTControlCharacters(stdout).trimEnd().split('\n');
}

function parseLines<T>(stdout: string): T[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

describe('sekali events', () => {
  test('prints in a pipe the very bytes that the server streams', async () => {
    const response = await fetch(`${server.url}/events`, { headers: { accept: 'application/x-ndjson' } });
    const { code, stdout } = await sekali('events');
    assert.equal(code, 0);
    assert.equal(stdout, await response.text());
    assert.ok(stdout.includes(`"payload":${EXACT_PAYLOAD},`));
    assert.equal(stdout.split('\n').length, BULK + 2 + 1);
  });

  test('passes every filter on', async () => {
    const { stdout } = await sekali(
      'events',
      '--topic',
      'bulk',
      '--order',
      'desc',
      '--limit',
      '2',
      '--offset',
      '1',
    );
    assert.deepEqual(
      parseLines<WireStoredEvent>(stdout).map(({ event_id }) => event_id),
      [`bulk-${BULK - 2}`, `bulk-${BULK - 3}`],
    );
    const between = await sekali('events', '--after', '2', '--before', '5', '--source', 'shop');
    assert.deepEqual(
      parseLines<WireStoredEvent>(between.stdout).map(({ position }) => position),
      [3, 4],
    );
    const inTime = await sekali(
      'events',
      '--from',
      '2026-01-31T12:00:00.000001Z',
      '--to',
      '2027-01-01T00:00:00Z',
    );
    assert.deepEqual(inTime, { code: 0, signal: null, stdout: '', stderr: '' });
  });

  test('ends quietly when its reader has seen enough', async () => {
    const child = startCli(['events', '--url', server.url]);
    const ended = once(child, 'exit') as Promise<[number | null]>;
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    await once(child.stdout!, 'readable');
    child.stdout!.destroy();
    assert.deepEqual([(await ended)[0], stderr], [0, '']);
  });

  test('shows a terminal an aligned page, the payloads shortened, and how to get more', async () => {
    const lines = await onTerminal('events');
    assert.match(lines[0]!, /^position {2}timestamp {20}topic {3}source {2}event_id {2}payload$/);
    assert.match(
      lines[1]!,
      /^ {7}1 {2}2026-01-31T12:00:00\.000000Z {2}orders {2}shop {4}order-1 {3}\{"n":123456.*…$/,
    );
    assert.equal(lines[1]!.length, 100);
    assert.deepEqual(lines.slice(-2), ['', 'for more: --after 100']);
    assert.equal(lines.length, 1 + 100 + 2);
  });

  test('shows a terminal more than one page when asked to, and nothing to add after the last', async () => {
    const lines = await onTerminal('events', '--topic', 'bulk', '--order', 'desc', '--limit', '1200');
    assert.equal(lines.filter((line) => line.includes('bulk-')).length, 1200);
    assert.equal(lines.at(-1), `for more: --before ${2 + BULK - 1199}`);
    assert.equal((await onTerminal('events', '--topic', 'orders')).length, 3);
    assert.deepEqual(await onTerminal('events', '--topic', 'nothing'), ['no events']);
  });

  test('prints NDJSON on a terminal with --json', async () => {
    const [line, ...others] = await onTerminal('events', '--json', '--limit', '1');
    assert.ok(line!.includes(`"payload":${EXACT_PAYLOAD},`));
    assert.deepEqual(others, []);
  });
});

describe('sekali get', () => {
  test('prints the event in a pipe as the server answers it', async () => {
    const response = await fetch(`${server.url}/events/orders/order-1`);
    assert.deepEqual(await sekali('get', 'orders', 'order-1'), {
      code: 0,
      signal: null,
      stdout: `${await response.text()}\n`,
      stderr: '',
    });
  });

  test('shows a terminal the event member by member', async () => {
    const lines = await onTerminal('get', 'orders', 'order-2');
    assert.equal(lines[0], 'position      2');
    assert.equal(
      lines.at(-1),
      'conflicts     1, as sekali conflicts --topic orders --event-id order-2 shows',
    );
  });

  test('exits with 3 when the event was never stored', async () => {
    assert.deepEqual(await sekali('get', 'orders', 'order-3'), {
      code: 3,
      signal: null,
      stdout: '',
      stderr: 'sekali: no event "order-3" is known in "orders"\n',
    });
  });

  test('exits with 2 without an event_id', async () => {
    const { code, stderr } = await sekali('get', 'orders');
    assert.deepEqual([code, stderr], [2, 'sekali: expected TOPIC EVENT_ID, got orders\n']);
  });
});

describe('sekali stats', () => {
  test('prints one line of JSON in a pipe', async () => {
    const { code, stdout } = await sekali('stats');
    const [stats, ...others] = parseLines<StatsAnswer>(stdout);
    assert.deepEqual([code, others], [0, []]);
    assert.deepEqual([stats!.received, stats!.unique_processed, stats!.conflicts], [BULK + 3, BULK + 2, 1]);
  });

  test('shows a terminal the counters under one another', async () => {
    const lines = await onTerminal('stats');
    assert.match(lines[1]!, /^unique_processed {3}1,502$/);
    assert.match(lines[2]!, /^duplicate_dropped {6}1 {2}0\.07 %, conflicts included$/);
  });
});

describe('sekali topics', () => {
  test('prints a line of JSON for each topic in a pipe', async () => {
    const { stdout } = await sekali('topics');
    const answer = await server.client().topics();
    assert.deepEqual(parseLines(stdout), answer.topics);
    assert.equal((await sekali('topics', '--limit', '1')).stdout.split('\n').length, 2);
  });

  test('shows a terminal a table, and how to get more', async () => {
    assert.match((await onTerminal('topics'))[1]!, /^bulk {5}1,500 {8}0 {11}0 {10}0 {2}3–1502 /);
    assert.equal((await onTerminal('topics', '--limit', '1')).at(-1), 'for more: --after bulk');
  });
});

describe('sekali conflicts', () => {
  test('prints what was kept out, and of which event', async () => {
    const { code, stdout } = await sekali('conflicts', '--topic', 'orders', '--event-id', 'order-2');
    const [conflict, ...others] = parseLines<{ payload: unknown; position: number }>(stdout);
    assert.deepEqual([code, conflict!.payload, conflict!.position, others], [0, { total: 1 }, 2, []]);
    assert.equal((await sekali('conflicts', '--topic', 'bulk')).stdout, '');
  });

  test('shows a terminal a table', async () => {
    const lines = await onTerminal('conflicts');
    assert.match(lines[1]!, /^ {5}1 {2}.{27} {2}orders {2}order-2 {10}2 {2}\{"total":1\}$/);
    assert.deepEqual(await onTerminal('conflicts', '--topic', 'bulk'), ['no conflicts']);
  });
});

function numbered(sequence: number, source = 'cellar'): WireEvent {
  return makeEvent({ topic: 'meters', source, event_id: `${source}-${sequence}`, sequence });
}

describe('sekali gaps', () => {
  test('prints a line of JSON for each publisher in a pipe, and shows a terminal a table', async () => {
    assert.deepEqual(await onTerminal('gaps'), ['no publishers']);
    const client = server.client();
    await client.publish([1, 2, 5, 9, 7].map((sequence) => numbered(sequence)));
    await client.publish([numbered(1, 'roof')]);
    const { stdout } = await sekali('gaps', '--topic', 'meters');
    assert.deepEqual(parseLines(stdout), (await client.gaps()).publishers);
    const [titles, cellar, ...more] = await onTerminal('gaps', '--limit', '1');
    assert.match(
      titles!,
      /^topic {3}source {2}events {2}numbers {2}missing {2}late {2}repeated {2}restarts {2}gaps$/,
    );
    assert.match(cellar!, /^meters {2}cellar {7}5 {2}1–9 {12}4 {5}1 {9}0 {9}0 {2}3–4, 6, 8$/);
    assert.match(more.at(-1)!, /^for more: --after \d+$/);
  });

  test('asks again for each page that is not all, whichever server answers', async (t) => {
    const answers = [
      { ...page('too little', null), through: 10, complete: false },
      { ...page('first', 5), through: 20, complete: true },
      { ...page('of another server', null), through: 0, complete: false },
      { ...page('second', null), through: 20, complete: true },
    ];
    const { url, asked } = await answering(t, () => answers.shift());
    const { code, stdout } = await runCli(['gaps', '--url', url]);
    assert.deepEqual([code, parseLines(stdout)], [0, [{ name: 'first' }, { name: 'second' }]]);
    assert.deepEqual(asked, ['', '', '5', '5']);
  });

  test('fails where a server gets no further, and prints nothing of what it knows', async (t) => {
    const stuck = { publishers: [{ name: 'too little' }], through: 10, complete: false, next: null };
    const { url, asked } = await answering(t, () => stuck);
    const { code, stdout, stderr } = await runCli(['gaps', '--url', url]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^sekali: 20 times .* got no further than position 10: try again later\n$/);
    assert.equal(asked.length, 21);
  });
});

function page(name: string, next: number | null) {
  return { publishers: [{ name }], next };
}

/** A server that gives these answers. @returns the `after` of each request */
async function answering(t: TestContext, answer: () => unknown): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const http = createServer((request, response) => {
    asked.push(new URL(request.url!, 'http://localhost').searchParams.get('after') ?? '');
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer()));
  });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  t.after(() => http.close());
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, asked };
}

describe('sekali healthcheck', () => {
  test('exits with 0 when the server is well, found by its URL or its port', async () => {
    assert.deepEqual(await sekali('healthcheck'), { code: 0, signal: null, stdout: 'healthy\n', stderr: '' });
    const byPort = await runCli(['healthcheck'], { env: { SEKALI_PORT: new URL(server.url).port } });
    assert.equal(byPort.code, 0);
  });
});

describe('a server that cannot be reached', () => {
  // Reserved for TCP port multiplexing and bound by nobody (RFC 1078); not on the list of ports that fetch refuses.
  const NOWHERE = 'http://127.0.0.1:2';

  for (const command of ['events', 'stats', 'topics', 'conflicts', 'gaps', 'get orders order-1']) {
    test(`is told by sekali ${command} in one line, with exit 1`, async () => {
      const { code, stdout, stderr } = await runCli([...command.split(' '), '--url', NOWHERE]);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /^sekali: no answer from http:\/\/127\.0\.0\.1:2: .*ECONNREFUSED.*\n$/);
    });
  }

  test('is not healthy', async () => {
    const { code, stdout } = await runCli(['healthcheck', '--url', NOWHERE]);
    assert.equal(code, 1);
    assert.match(stdout, /^unhealthy; no answer from http:\/\/127\.0\.0\.1:2: .*ECONNREFUSED.*\n$/);
  });

  test('is told by sekali events in one line when it dies in the middle of its answer', async (t) => {
    const dying = await startServerProcess(t, { dataDir: tempDir(t) });
    const pad = 'x'.repeat(900_000);
    for (const part of ['a', 'b', 'c', 'd']) {
      await dying.client().publish(makeEvents(12, part, { payload: { pad } }));
    }
    const child = startCli(['events', '--url', dying.url]);
    // More than all buffers between the two processes hold is still to come when the first bytes are there.
    await once(child.stdout!, 'readable');
    await dying.stop('SIGKILL');
    const { code, stderr } = await finished(child);
    assert.equal(code, 1);
    assert.match(stderr, /^sekali: the answer broke off: .+\n$/);
  });
});

describe('a question that the server does not take', () => {
  test('is told in the words of the server', async () => {
    const { code, stderr } = await sekali('events', '--from', 'yesterday');
    assert.equal(code, 1);
    assert.match(stderr, /^sekali: from must be an RFC 3339 date-time.*"yesterday"\n$/);
  });

  test('with a flag that does not exist is not sent', async () => {
    const { code, stderr } = await sekali('events', '--topics', 'orders');
    assert.deepEqual([code, stderr], [2, 'sekali: --topics is no flag; did you mean "topic"?\n']);
  });
});
