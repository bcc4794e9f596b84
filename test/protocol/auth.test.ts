/** Who is let in: the API key, the Host header, web origins, and the address to listen on. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { StatsAnswer } from '../../src/protocol/wire.ts';
import { type Answer, send } from '../support/http.ts';
import { makeEvent } from '../support/make-events.ts';
import { problemsOf, refusedStart } from '../support/refused-start.ts';
import { type ServerOptions, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { freePort } from '../support/services/free-port.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { assertProblem } from './suite/case.ts';

const KEY = 'correct-horse:battery/staple+1';
const BODY = JSON.stringify(makeEvent());

async function start(t: TestContext, options: Partial<ServerOptions> = {}): Promise<ServerProcess> {
  return await startServerProcess(t, { dataDir: tempDir(t), ...options });
}

async function publish({ url }: ServerProcess, headers: Record<string, string>): Promise<Answer> {
  return await send(url, '/publish', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: BODY,
  });
}

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

test('with a key, nothing but the health checks is there for who has not got it', async (t) => {
  const server = await start(t, { env: { SEKALI_API_KEY: KEY } });
  const guarded = [
    '/events',
    '/events/a/b',
    '/topics',
    '/gaps',
    '/conflicts',
    '/stats',
    '/queue/stats',
    '/metrics',
    '/openapi.json',
    '/docs',
  ];
  for (const path of [...guarded, '/nothing', '/publish', '/livez/', '/livez2', '//livez', '/x/../livez']) {
    for (const method of ['GET', 'HEAD', 'DELETE']) {
      const answer = await send(server.url, path, { method });
      assert.equal(answer.status, 401, `${method} ${path}`);
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="sekali", Basic realm="sekali"');
      if (method !== 'HEAD') assertProblem(answer, 401, 'key_missing');
    }
  }
  for (const path of ['/livez', '/readyz', '/readyz?verbose', '/health', '/%6civez']) {
    assert.equal((await send(server.url, path)).status, 200, path);
  }
});

test('why it is not well, a server with a key tells only to those who have it', async (t) => {
  const databaseUrl = `postgres://sekali@127.0.0.1:${await freePort()}/events`;
  const server = await start(t, { env: { SEKALI_API_KEY: KEY, SEKALI_DATABASE_URL: databaseUrl } });
  async function told(headers: Record<string, string>): Promise<string> {
    const answers = await Promise.all(
      ['/readyz?verbose', '/health'].map((path) => send(server.url, path, { headers })),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      [503, 503],
    );
    return answers.map(({ text }) => text).join();
  }
  for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
    const text = await told(headers);
    assert.match(text, /^\[-\] database: the reason is told with the API key/m);
    assert.doesNotMatch(text, /127\.0\.0\.1|PostgreSQL/);
  }
  await until('the reason', async () =>
    /database: PostgreSQL: .*127\.0\.0\.1/.test(await told({ authorization: `Bearer ${KEY}` })),
  );
});

test('the key comes as a bearer token or as the password of any user', async (t) => {
  const server = await start(t, { env: { SEKALI_API_KEY: KEY } });
  for (const authorization of [
    `Bearer ${KEY}`,
    `bearer ${KEY}`,
    `BEARER  ${KEY} `,
    basic(`:${KEY}`),
    basic(`shipper:${KEY}`),
  ]) {
    assert.equal((await publish(server, { authorization })).status, 200, authorization);
  }
});

test('a wrong key is refused and stores nothing', async (t) => {
  const server = await start(t, { env: { SEKALI_API_KEY: KEY } });
  for (const authorization of [
    'Bearer wrong',
    `Bearer ${KEY}x`,
    `Bearer ${KEY.slice(0, -1)}`,
    `Bearer ${KEY.toUpperCase()}`,
    `Bearer "${KEY}"`,
    basic(`user:${KEY}x`),
    basic(`${KEY}:`),
    basic(`user:x:${KEY}`),
  ]) {
    assertProblem(await publish(server, { authorization }), 401, 'key_wrong');
  }
  for (const authorization of [
    KEY,
    `Bearer${KEY}`,
    `Bearer ${KEY} more`,
    `Digest ${KEY}`,
    'Bearer',
    '',
    basic('no colon'),
  ]) {
    assertProblem(await publish(server, { authorization }), 401, 'key_missing');
  }
  const asked = await send(server.url, `/stats?key=${encodeURIComponent(KEY)}`, {
    headers: { 'x-api-key': KEY },
  });
  assertProblem(asked, 401, 'key_missing');
  const stats = await send(server.url, '/stats', { headers: { authorization: `Bearer ${KEY}` } });
  assert.equal(stats.json<StatsAnswer>().received, 0);
});

test('the key may lie in a file, with white space around it', async (t) => {
  const file = join(tempDir(t), 'key');
  writeFileSync(file, `\n${KEY}\r\n`);
  const server = await start(t, { env: { SEKALI_API_KEY_FILE: file } });
  assertProblem(await publish(server, {}), 401, 'key_missing');
  assert.equal((await publish(server, { authorization: `Bearer ${KEY}` })).status, 200);

  writeFileSync(file, '\n');
  const empty = await refusedStart(['--api-key-file', file]);
  assert.equal(empty.code, 2);
  assert.match(empty.stderr, /must hold the API key, and is empty/);
  const missing = await refusedStart(['--api-key-file', `${file}.none`]);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /ENOENT/);
});

test('the key is never in the log', async (t) => {
  const server = await start(t, { env: { SEKALI_API_KEY: KEY }, args: ['--log-level', 'trace'] });
  await publish(server, { authorization: `Bearer ${KEY}` });
  await publish(server, { authorization: `Bearer ${KEY}x` });
  await server.stop();
  assert.ok(server.log.some((line) => line.includes('"status":200')));
  assert.ok(server.log.every((line) => !line.includes(KEY)));
});

test('without a key, only loopback names are answered to: a web page cannot rebind its own', async (t) => {
  const server = await start(t);
  const { port } = new URL(server.url);
  for (const host of [
    'localhost',
    'LOCALHOST',
    `127.0.0.1:${port}`,
    '127.1.2.3',
    '[::1]',
    `[::1]:${port}`,
    'app.localhost',
  ]) {
    assert.equal((await send(server.url, '/stats', { headers: { host } })).status, 200, host);
  }
  for (const host of [
    'elsewhere.example',
    `elsewhere.example:${port}`,
    'localhost.elsewhere.example',
    '127.0.0.1.elsewhere.example',
    'notlocalhost',
    '10.0.0.1',
    '0.0.0.0',
    '[::]',
    'localhost:1:2',
    'localhost@elsewhere.example',
    ' ',
  ]) {
    assertProblem(await send(server.url, '/stats', { headers: { host } }), 403, 'host_refused');
    assertProblem(await send(server.url, '/livez', { headers: { host } }), 403, 'host_refused');
    assertProblem(await publish(server, { host }), 403, 'host_refused');
  }
  assert.equal((await send(server.url, '/stats')).json<StatsAnswer>().received, 0);
});

test('with a key, or where everybody is served, any name will do', async (t) => {
  const host = 'sekali.example';
  const keyed = await start(t, { env: { SEKALI_API_KEY: KEY } });
  assert.equal((await publish(keyed, { host, authorization: `Bearer ${KEY}` })).status, 200);
  assert.equal((await send(keyed.url, '/readyz', { headers: { host } })).status, 200);
  const anonymous = await start(t, { env: { SEKALI_ALLOW_ANONYMOUS: '1' } });
  assert.equal((await publish(anonymous, { host })).status, 200);
});

test('listening on any but a loopback address needs a key, or the word that everybody may', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'sekali.example', '']) {
    const refused = await refusedStart(['--host', host]);
    assert.equal(refused.code, 2, host);
    assert.ok(refused.stderr.includes(`listening on ${host} needs an API key`), refused.stderr);
  }
  // Each of them lets the address pass; what is left is the one other problem.
  for (const env of [{ SEKALI_API_KEY: KEY }, { SEKALI_ALLOW_ANONYMOUS: '1' }]) {
    const refused = await refusedStart(['--host', '0.0.0.0', '--depth-max', '0'], { env });
    assert.deepEqual(problemsOf(refused), ['--depth-max must be an integer from 2 to 500, not "0"']);
  }
});

test('web origins that are configured may read and publish, with the key', async (t) => {
  const origin = 'https://app.example';
  const env = { SEKALI_API_KEY: KEY, SEKALI_CORS_ORIGINS: `${origin}, http://localhost:3000` };
  const server = await start(t, { env });
  const authorization = `Bearer ${KEY}`;

  const preflight = await send(server.url, '/publish', {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers['access-control-allow-origin'], origin);
  assert.match(preflight.headers['access-control-allow-methods'] ?? '', /POST/);
  assert.equal(preflight.headers['access-control-allow-headers'], 'authorization,content-type');

  for (const allowed of [origin, 'http://localhost:3000']) {
    const answer = await publish(server, { origin: allowed, authorization });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['access-control-allow-origin'], allowed);
    assert.match(answer.headers['access-control-expose-headers'] ?? '', /retry-after/);
    assert.match(answer.headers.vary ?? '', /origin/i);
  }
  const events = await send(server.url, '/events', { headers: { origin, authorization } });
  assert.deepEqual(events.headers.vary?.toLowerCase().split(', '), ['origin', 'accept']);
  // A page is told what is wrong, too.
  const wrong = await publish(server, { origin, authorization: 'Bearer wrong' });
  assertProblem(wrong, 401, 'key_wrong');
  assert.equal(wrong.headers['access-control-allow-origin'], origin);
  const lost = await send(server.url, '/nothing', { headers: { origin, authorization } });
  assertProblem(lost, 404, 'route_unknown');
  assert.equal(lost.headers['access-control-allow-origin'], origin);

  for (const other of [
    'https://evil.example',
    'https://app.example.evil.example',
    'http://app.example',
    'null',
  ]) {
    const read = await send(server.url, '/stats', { headers: { origin: other, authorization } });
    assert.equal(read.headers['access-control-allow-origin'], undefined, other);
    assertProblem(await publish(server, { origin: other, authorization }), 403, 'origin_refused');
  }
});
