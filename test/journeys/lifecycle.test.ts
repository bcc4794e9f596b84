/** Start, shutdown, a second process, a newer schema. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { Ledger } from '../support/ledger.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { runCli } from '../support/process.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';

test('SIGTERM under load: what was taken is committed and answered, the exit code is 0', async (t) => {
  const dataDir = tempDir(t);
  const server = await startServerProcess(t, { dataDir });
  const client = server.client();
  const ledger = new Ledger();
  const exited = once(server.child, 'exit');
  let answered = 0;
  const publish = async (publisher: number) => {
    for (let batch = 0; await ledger.publish(client, makeEvents(50, `${publisher}-${batch}-`)); batch++) {
      if (++answered === 40) server.child.kill('SIGTERM');
    }
  };
  await Promise.all([0, 1, 2, 3].map(publish));
  assert.deepEqual(await exited, [0, null]);

  const again = (await startServerProcess(t, { dataDir })).client();
  await ledger.check(again);
  await ledger.settle(again);
  assert.equal((await ledger.check(again)).unique_processed, ledger.sent.size);
});

test('a second signal ends the server at once', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  await beginRequest(t, server); // keeps the shutdown waiting
  const exited = once(server.child, 'exit');
  server.child.kill('SIGTERM');
  await logged(server.log, 'shutting down', server.child.stdout!);
  server.child.kill('SIGTERM');
  assert.deepEqual(await exited, [1, null]);
});

test('a client that never finishes its request does not keep the server from stopping in time', async (t) => {
  const args = ['--shutdown-timeout-ms', '2000'];
  const server = await startServerProcess(t, { dataDir: tempDir(t), args });
  await beginRequest(t, server);
  assert.equal(await server.stop(), 0);
});

test('a second process on the same data directory is refused by name, and the first goes on', async (t) => {
  const dataDir = tempDir(t);
  const server = await startServerProcess(t, { dataDir });
  const { code, stderr } = await runCli(['serve', '--port', '0', '--data', dataDir]);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`^sekali: .*is in use by process ${server.pid} on .*\\n$`));
  const { processed } = await server.client().publish([makeEvent()]);
  assert.equal(processed, 1);
});

test('a port that is taken is told in one line, and the data directory is free again', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  const other = tempDir(t);
  const { code, stderr } = await runCli(['serve', '--port', new URL(server.url).port, '--data', other]);
  assert.equal(code, 1);
  assert.match(stderr, /^sekali: .*EADDRINUSE.*\n$/);
  await startServerProcess(t, { dataDir: other });
});

test('a newer schema is refused, and left as it is', async (t) => {
  const dataDir = tempDir(t);
  await (await startServerProcess(t, { dataDir })).stop();
  const db = new DatabaseSync(join(dataDir, 'sekali.db'));
  db.exec('PRAGMA user_version = 999');
  db.close();
  const { code, stderr } = await runCli(['serve', '--port', '0', '--data', dataDir]);
  assert.equal(code, 1);
  assert.match(stderr, /^sekali: the data has schema 999, this Sekali knows schemas up to \d+.*\n$/);
  const after = new DatabaseSync(join(dataDir, 'sekali.db'));
  assert.equal(after.prepare('PRAGMA user_version').get()?.['user_version'], 999);
  after.close();
});

/** A stopped store with ten events, after a change that nobody should make. */
async function tamperedData(t: Pick<TestContext, 'after'>, sql: string): Promise<string> {
  const dataDir = tempDir(t);
  const server = await startServerProcess(t, { dataDir });
  await server.client().publish(makeEvents(10));
  await server.stop();
  const db = new DatabaseSync(join(dataDir, 'sekali.db'));
  db.exec(sql);
  db.close();
  return dataDir;
}

test('a log of keys that does not reach as far as the events is mended from them, never started empty', async (t) => {
  const server = await startServerProcess(t, { dataDir: await tamperedData(t, 'DELETE FROM keys') });
  const { processed, duplicates } = await server.client().publish(makeEvents(11));
  assert.deepEqual([processed, duplicates], [1, 10]);
});

test('a log of keys whose events are gone too is refused, never started empty', async (t) => {
  const dataDir = await tamperedData(t, 'DELETE FROM keys; DELETE FROM blocks');
  const { code, stderr } = await runCli(['serve', '--port', '0', '--data', dataDir]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^sekali: the keys of positions 1 to 10 are lost, and their events are not there to derive them from: restore a backup\n$/,
  );
  assert.ok(existsSync(join(dataDir, 'sekali.db')));
});

test('events beyond what the counters say are refused', async (t) => {
  const dataDir = await tamperedData(
    t,
    'UPDATE counters SET last_position = 0, received = 0, unique_processed = 0; DELETE FROM keys',
  );
  const { code, stderr } = await runCli(['serve', '--port', '0', '--data', dataDir]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^sekali: the counters say that the log ends at position 0, but events begin at 1 .*: restore a backup\n$/,
  );
});

/** Begins a request that never ends: its head has arrived, for the server has asked for its body. */
async function beginRequest(t: Pick<TestContext, 'after'>, server: ServerProcess): Promise<void> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  const head = ['POST /publish HTTP/1.1', 'Host: localhost', 'Content-Length: 100', 'Expect: 100-continue'];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await once(socket, 'data');
}

/** Waits until the log has a line with this text. */
async function logged(log: readonly string[], text: string, stdout: NodeJS.ReadableStream): Promise<void> {
  while (!log.some((line) => line.includes(text))) await once(stdout, 'data');
}
