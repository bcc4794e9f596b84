/** What a connection asks of its URL and of the server, before anything is done over it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, createServer } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import { test } from 'node:test';
import { SekaliError } from '../../src/errors.ts';
import { connect, type SqlClient } from '../../src/store/postgres/connection.ts';
import { useServices } from '../support/services/services.ts';

const services = useServices('postgres');

for (const [what, url] of [
  ['spells no text', 'postgres://sekali:hunter2%e9@127.0.0.1/db'],
  ['has no such port', 'postgres://sekali:hunter2@127.0.0.1:99999/db'],
  ['names a file that is not there', 'postgres://sekali:hunter2@127.0.0.1/db?sslrootcert=/missing/root.crt'],
] as const) {
  test(`a URL that ${what} is a mistake, not an outage, and the message keeps the password`, async () => {
    const error = await connect(url).catch((refusal: unknown) => refusal);
    assert.ok(error instanceof SekaliError);
    assert.deepEqual([error.code, error.cause], ['config_invalid', undefined]);
    assert.doesNotMatch(error.message, /hunter2/);
    assert.equal(error.message.includes('/missing/root.crt'), url.includes('/missing/root.crt'));
  });
}

test('a lock is given up before the statement that waits for it', services.options, async () => {
  const client = await connect(await services.postgres());
  const [lock, statement] = [await msOf(client, 'lock_timeout'), await msOf(client, 'statement_timeout')];
  assert.ok(0 < lock && lock < statement, `${lock} ms, ${statement} ms`);
  await client.end();
});

test('a server whose system cannot look after its clients is taken as it is', services.options, async (t) => {
  const url = new URL(await services.postgres());
  // As on macOS, it refuses the value; here because it is out of bounds.
  const proxy = createServer((client) => {
    const server = connectTcp(Number(url.port || 5432), url.hostname);
    pipeline(client, replacing("'client_connection_check_interval', '2s'", '2s', '-2'), server, () => {});
    pipeline(server, client, () => {});
  }).listen(0, '127.0.0.1');
  t.after(() => proxy.close());
  await once(proxy, 'listening');
  const { port } = proxy.address() as { port: number };
  const client = await connect(Object.assign(new URL(url), { hostname: '127.0.0.1', port }).href);
  assert.equal(await msOf(client, 'client_connection_check_interval'), 0);
  assert.ok((await msOf(client, 'lock_timeout')) > 0, 'the other settings are there');
  await client.end();
});

/** Changes a part of each text that passes, to another one of its length; the text has to come in one piece. */
function replacing(text: string, part: string, by: string): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, Buffer.from(chunk.toString('latin1').replace(text, text.replace(part, by)), 'latin1'));
    },
  });
}

async function msOf(client: SqlClient, setting: string): Promise<number> {
  const { rows } = await client.query({
    text: 'SELECT setting::int AS ms FROM pg_settings WHERE name = $1',
    values: [setting],
  });
  return rows[0].ms as number;
}
