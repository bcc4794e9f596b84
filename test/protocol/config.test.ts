/** How a server is configured, seen from outside: flags, environment and file, and what is said when they are wrong. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { QueueAnswer } from '../../src/protocol/wire.ts';
import { send } from '../support/http.ts';
import { problemsOf, refusedStart } from '../support/refused-start.ts';
import { type ServerOptions, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';

function configFile(t: TestContext, members: unknown): string {
  const file = join(tempDir(t), 'sekali.json');
  writeFileSync(file, typeof members === 'string' ? members : JSON.stringify(members));
  return file;
}

/** A setting that can be read from outside. */
async function queueSizeMax(t: TestContext, options: Partial<ServerOptions>): Promise<number> {
  const server = await startServerProcess(t, { dataDir: tempDir(t), ...options });
  return (await send(server.url, '/queue/stats')).json<QueueAnswer>().queue_size_max;
}

test('every problem of the configuration is told at once, and nothing is touched', async (t) => {
  const data = join(tempDir(t), 'data');
  const file = configFile(t, { portt: 9000, depth_max: 'deep', log_level: 'loud', config: 'other.json' });
  const result = await refusedStart(
    [
      '--config',
      file,
      '--data',
      data,
      '--bdoy-bytes-max',
      '1',
      '--idle-timeout-ms',
      'soon',
      '--host',
      '0.0.0.0',
    ],
    {
      env: {
        SEKALI_BODY_BYTES_MAX: '12 parsecs',
        SEKALI_QEUUE_BYTES_MAX: '1GiB',
        SEKALI_CORS_ORIGINS: 'https://a.example/path',
        SEKALI_ALLOW_ANONYMOUS: 'maybe',
        DATABASE_URL: 'mysql://localhost/sekali',
      },
    },
  );
  assert.equal(result.code, 2, result.stdout);
  const said = problemsOf(result);
  const expected = [
    /^SEKALI_QEUUE_BYTES_MAX is no setting; did you mean "SEKALI_QUEUE_BYTES_MAX"\?$/,
    /sekali\.json: config cannot name a further file$/,
    /^--bdoy-bytes-max is no flag; did you mean "body-bytes-max"\?$/,
    /sekali\.json: portt is no setting; did you mean "port"\?$/,
    /^SEKALI_ALLOW_ANONYMOUS must be 1 or 0, true or false, not "maybe"$/,
    /^SEKALI_CORS_ORIGINS must be origins/,
    /^SEKALI_BODY_BYTES_MAX must be bytes from \d+ to \d+, as 16777216 or 16MiB, not "12 parsecs"$/,
    /sekali\.json: depth_max must be an integer from 2 to 500, not "deep"$/,
    /^--idle-timeout-ms must be an integer from 100 to 3600000, not "soon"$/,
    /sekali\.json: log_level must be one of trace, debug, info, warn, error, silent, not "loud"$/,
    /^DATABASE_URL must be the address of a PostgreSQL database/,
    /^listening on 0\.0\.0\.0 needs an API key/,
  ];
  for (const problem of expected)
    assert.ok(
      said.some((line) => problem.test(line)),
      `${problem}\n${result.stderr}`,
    );
  assert.equal(said.length, expected.length, result.stderr);
  assert.equal(existsSync(data), false);
});

test('a flag wins over the environment, the environment over the file, the file over the default', async (t) => {
  const file = configFile(t, { queue_requests_max: 11 });
  const env = { SEKALI_QUEUE_REQUESTS_MAX: '12' };
  assert.equal(await queueSizeMax(t, { args: ['--config', file, '--queue-requests-max', '13'], env }), 13);
  assert.equal(await queueSizeMax(t, { env: { ...env, SEKALI_CONFIG: file } }), 12);
  assert.equal(await queueSizeMax(t, { args: ['--config', file] }), 11);
  assert.equal(await queueSizeMax(t, { env: { SEKALI_QUEUE_REQUESTS_MAX: '' } }), 4096);
});

test('settings that contradict one another are refused', async () => {
  const cases: [string[], RegExp][] = [
    [
      ['--event-bytes-max', '2MiB', '--body-bytes-max', '1MiB'],
      /^event-bytes-max must not be above body-bytes-max$/,
    ],
    [['--body-bytes-max', '32MiB', '--queue-bytes-max', '63MiB'], /^queue-bytes-max must be at least twice/],
    [['--api-key', 'a', '--api-key-file', '/nonexistent'], /^give the API key or a file with it, not both$/],
    [['--api-key', 'two words'], /^the API key must be visible ASCII/],
    [['--api-key', ''], /^the API key must be visible ASCII/],
  ];
  for (const [args, problem] of cases) {
    const result = await refusedStart(args);
    assert.equal(result.code, 2, args.join(' '));
    assert.ok(
      problemsOf(result).some((line) => problem.test(line)),
      result.stderr,
    );
  }
});

test('a file that cannot be used is named with the reason', async (t) => {
  for (const [file, reason] of [
    [join(tempDir(t), 'none.json'), /none\.json could not be read: ENOENT/],
    [configFile(t, '{"port": 8080,}'), /sekali\.json could not be read: .*JSON/],
    [configFile(t, []), /sekali\.json must hold a JSON object/],
    [tempDir(t), /could not be read: EISDIR/],
  ] as const) {
    const result = await refusedStart(['--config', file]);
    assert.equal(result.code, 2);
    assert.match(result.stderr, reason);
  }
});

test('a key is never repeated in what is said', async () => {
  const env = { SEKALI_API_KEY: 'sesame\u00e9', SEKALI_PORT: '70000' };
  const result = await refusedStart(['--api-key', 'open sesame'], { env });
  assert.equal(result.code, 2);
  assert.doesNotMatch(result.stderr + result.stdout, /sesame/);
});

test('a queue server without a database is refused, and what has no effect without one is told', async (t) => {
  const refused = await refusedStart([], { env: { REDIS_URL: 'redis://:sesame@localhost' } });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /redis-url needs database-url/);
  assert.doesNotMatch(refused.stderr, /sesame/);
  const env = { WORKER_COUNT: '4', QUEUE_KEY: 'q', USE_INMEMORY_QUEUE: '1', REDIS_URL: 'redis://localhost' };
  const server = await startServerProcess(t, { dataDir: tempDir(t), env });
  for (const name of ['worker-count', 'queue-key']) {
    assert.ok(
      server.log.some((line) => line.includes(`${name} has no effect`)),
      name,
    );
  }
});

test("variables of the client, and those that Kubernetes sets for a service named sekali, are none of the server's", async (t) => {
  const env = {
    SEKALI_URL: 'http://127.0.0.1:1',
    SEKALI_KEY: 'k',
    SEKALI_SERVICE_HOST: '10.0.0.1',
    SEKALI_SERVICE_PORT: '8080',
    SEKALI_SERVICE_PORT_HTTP: '8080',
    SEKALI_PORT: 'tcp://10.0.0.1:8080',
    SEKALI_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
    SEKALI_PORT_8080_TCP_ADDR: '10.0.0.1',
    SEKALI_QUEUE_REQUESTS_MAX: '7',
  };
  assert.equal(await queueSizeMax(t, { env }), 7);
});

test('a port that is taken ends the start with the reason', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  const { port } = new URL(server.url);
  const result = await refusedStart(['--data', join(tempDir(t), 'data'), '--port', port]);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /EADDRINUSE/);
});
