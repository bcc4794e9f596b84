/** Every command of the README is run, on the real thing, and does what the README says. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandsOf } from '../support/documents.ts';
import { type Finished, finished } from '../support/process.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const commands = commandsOf('README.md');

/** Run by .ci/run and by whoever runs this: they are how the tests came to run. */
const RUN_BY_CI = ['npm ci && npm start', 'npm test'];

/** What a command must answer, by a part of it. */
const EXPECTED: readonly [string, RegExp][] = [
  ["curl -H 'Content-Type: application/json'", /"processed":1,"duplicates":0/],
  ["curl -H 'Content-Type: application/x-ndjson'", /"stored".*"duplicate".*"conflict"/],
  ['/events?topic=orders&after=0&limit=10', /"count":2.*"order-1".*"order-2"/],
  ['/events/orders/order-1', /"payload":\{"total":129\.95\}/],
  ['/stats', /"received":4,"unique_processed":2,"duplicate_dropped":2,"conflicts":1/],
  ['sekali demo --all', /kill -9/],
  ['sekali publish', /./],
  ['sekali ship', /"lines":2/],
  ['sekali events', /"event_id":"order-1"/],
  ['sekali get', /"event_id":"order-1"/],
  ['sekali stats', /"received"/],
];

test('the README opens with the two commands that install, run and test', () => {
  assert.deepEqual(
    commands.slice(0, 2).map((command) => command.split('#')[0]?.trim()),
    RUN_BY_CI,
  );
});

test('every other command of the README works as it stands', { timeout: 120_000 }, async (t) => {
  const dir = tempDir(t);
  const server = await startServerProcess(t, { dataDir: join(dir, 'data') });
  const log = join(dir, 'dpkg.log');
  writeFileSync(
    log,
    '2026-01-31 12:00:00 startup archives unpack\n2026-01-31 12:00:01 install sekali:all <none> 0.1.0\n',
  );
  for (const command of commands.slice(2)) {
    if (command.includes('sekali serve')) continue; // the next test
    const { code, stdout, stderr } = await runCommand(command.replace('/var/log/dpkg.log', log), server, dir);
    assert.equal(code, 0, `${command}\n${stderr}`);
    const expected = EXPECTED.find(([part]) => command.includes(part))?.[1];
    assert.ok(expected, `nothing is expected of: ${command}`);
    assert.match(stdout.replaceAll('\n', ' '), expected, command);
  }
});

test('the README’s server command serves off loopback with its key', async (t) => {
  const dir = tempDir(t);
  const command = commands.find((candidate) => candidate.includes('sekali serve')) ?? '';
  const started = shell(`${command.replace('/var/lib/sekali', join(dir, 'data'))} --port 0`, {});
  t.after(() => started.kill('SIGTERM'));
  let output = '';
  started.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const url = await until('it listens', async () => /"url":"(http:[^"]+)"/.exec(output)?.[1]);
  const port = new URL(url).port;
  const ask = (key: string) =>
    fetch(`http://127.0.0.1:${port}/stats`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal((await ask('wrong')).status, 401);
  assert.equal((await ask('a-long-random-secret')).status, 200);
});

function runCommand(command: string, server: ServerProcess, stateDir: string): Promise<Finished> {
  return finished(
    shell(command.replaceAll('http://127.0.0.1:8080', server.url), {
      SEKALI_URL: server.url,
      XDG_STATE_HOME: stateDir,
    }),
  );
}

function shell(command: string, env: NodeJS.ProcessEnv) {
  // `exec`, so that a signal reaches the command and not the shell around it.
  // Nothing of the one who runs the tests may configure it, nor what is for tests reach it.
  const inherited = Object.entries(process.env).filter(
    ([name]) => name !== 'NODE_TEST_CONTEXT' && !name.startsWith('SEKALI_'),
  );
  const run = command.replace('npx sekali', `exec ${process.execPath} bin/sekali.js`);
  return spawn('sh', ['-c', run], {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
