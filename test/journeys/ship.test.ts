import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { WireStoredEvent } from '../../src/client/index.ts';
import { commandsOf } from '../support/documents.ts';
import { finished, runCli, startCli } from '../support/process.ts';
import { startServerProcess } from '../support/server-process.ts';
import { Shipping } from '../support/shipping.ts';
import { tempDir } from '../support/temp-dir.ts';

const suite = { after: (release: () => unknown) => after(() => void release()) };
const server = await startServerProcess(suite, { dataDir: tempDir(suite) });

/** A topic of its own for each test, and a directory for its files. */
function prepare(t: TestContext, to = server) {
  const dir = tempDir(t);
  const shipping = new Shipping(to, { topic: t.name, state: join(dir, 'state') });
  function write(name: string, content: string | Buffer): string {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  }
  return { dir, shipping, write };
}

function logLines(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `2026-01-31 12:00:00,${i % 1000} INFO request ${i}`);
}

test('a log that is shipped twice is stored once, in the order of its lines', async (t) => {
  const { shipping, write } = prepare(t);
  const lines = logLines(1234);
  const file = write('app.log', `${lines.join('\n')}\n`);

  const first = await shipping.ship([file]);
  assert.deepEqual([first.code, first.counts['lines'], first.counts['stored']], [0, 1234, 1234]);
  assert.deepEqual(await shipping.lines(), lines);

  const second = await shipping.ship([file]);
  assert.deepEqual([second.code, second.counts['stored'], second.counts['duplicates']], [0, 0, 1234]);
  assert.deepEqual(await shipping.lines(), lines);
});

test('a copy under another name, shipped as another source, is the same log', async (t) => {
  const { dir, shipping, write } = prepare(t);
  const file = write('app.log', 'one\ntwo\n');
  const copy = join(dir, 'other.txt');
  copyFileSync(file, copy);
  await shipping.ship([file]);
  const { counts } = await shipping.ship([copy, '--source', 'backup']);
  assert.deepEqual([counts['stored'], counts['duplicates']], [0, 2]);
  assert.deepEqual(
    (await shipping.events()).map(({ source }) => source),
    ['app.log', 'app.log'],
  );
});

test('equal lines at different offsets, and in different files, are different events', async (t) => {
  const { shipping, write } = prepare(t);
  const files = [write('a.log', 'a\nsame\nsame\n'), write('b.log', 'b\nsame\nsame\n')];
  const { counts } = await shipping.ship(files);
  assert.deepEqual([counts['files'], counts['stored'], counts['duplicates']], [2, 6, 0]);
  assert.deepEqual(await shipping.lines(), ['a', 'same', 'same', 'b', 'same', 'same']);
});

test('files that begin alike are told apart by an identity', async (t) => {
  const { shipping, write } = prepare(t);
  const file = write('app.log', 'starting\nready\n');
  await shipping.ship([file, '--identity', 'host-1']);
  const { counts } = await shipping.ship([file, '--identity', 'host-2']);
  assert.deepEqual([counts['stored'], counts['duplicates']], [2, 0]);
});

test('a last line without its newline is shipped, and is the same line once it has it', async (t) => {
  const { shipping, write } = prepare(t);
  const file = write('app.log', 'one\r\ntwo');
  assert.equal((await shipping.ship([file])).counts['stored'], 2);
  appendFileSync(file, '\r\nthree\r\n');
  const { counts } = await shipping.ship([file]);
  assert.deepEqual([counts['stored'], counts['duplicates']], [1, 2]);
  assert.deepEqual(await shipping.lines(), ['one', 'two', 'three']);
});

test('a shipper that is killed in the middle goes on where it was', async (t) => {
  const { shipping, write } = prepare(t);
  const lines = logLines(20_000);
  const file = write('app.log', lines.join('\n'));
  const args = ['ship', file, '--topic', t.name, '--url', server.url, '--batch-lines', '20'];
  const child = startCli([...args, '--state', join(file, '..', 'state')]);
  const end = finished(child);
  await shipping.stored(400);
  child.kill('SIGKILL');
  assert.equal((await end).signal, 'SIGKILL');

  const { code, counts } = await shipping.ship([file]);
  assert.equal(code, 0);
  assert.ok(counts['skipped']! >= 380, `${counts['skipped']} lines skipped`);
  assert.ok(counts['duplicates']! <= 20, `${counts['duplicates']} duplicates`);
  assert.equal(counts['skipped']! + counts['lines']!, 20_000);
  assert.deepEqual(await shipping.lines(), lines);
});

test('what is blank is no event, what is no UTF-8 has its bytes beside its text', async (t) => {
  const { shipping, write } = prepare(t);
  const file = write('app.log', Buffer.from('caf\xe9\n\n  \t\r\nna\xefve\n', 'latin1'));
  const { code, counts } = await shipping.ship([file]);
  assert.deepEqual([code, counts['stored'], counts['blank'], counts['not_utf8']], [0, 2, 2, 2]);
  assert.deepEqual(
    (await shipping.events()).map(({ payload }) => payload),
    [
      { line: 'caf\ufffd', line_base64: 'Y2Fm6Q==' },
      { line: 'na\ufffdve', line_base64: 'bmHvdmU=' },
    ],
  );
});

test('JSON lines bring their own id, time and source, and come back as they stand', async (t) => {
  const { shipping, write } = prepare(t);
  const json = '{"id": 12345678901234567890, "at": {"ms": 1767182400123}, "host": "web-1", "f": 1.0}';
  const file = write('app.log', `${json}\nat org.example.Main\n`);
  const fields = ['--id-field', 'id', '--time-field', 'at.ms', '--source-field', 'host'];
  const { code, counts } = await shipping.ship([file, ...fields]);
  assert.deepEqual([code, counts['stored'], counts['without_id'], counts['without_time']], [0, 2, 1, 1]);

  const [event, line] = await shipping.events();
  assert.equal(event?.event_id, '12345678901234567890');
  assert.equal(event.timestamp, '2025-12-31T12:00:00.123000Z');
  assert.equal(event.source, 'web-1');
  assert.deepEqual(line?.payload, { line: 'at org.example.Main' });
  const url = `${server.url}/events/${encodeURIComponent(t.name)}/12345678901234567890`;
  assert.ok((await (await fetch(url)).text()).includes(`"payload":${json}`));
});

test('a line whose own id is stored with other content is a conflict, told with its place', async (t) => {
  const { shipping, write } = prepare(t);
  const file = write('app.log', '{"id":"a","n":1}\n{"id":"b","n":2}\n{"n":3,"id":"a"}\n');
  const { code, counts, stderr } = await shipping.ship([file, '--id-field', 'id']);
  assert.deepEqual([code, counts['stored'], counts['conflicts']], [1, 2, 1]);
  assert.match(stderr, new RegExp(`${basename(file)}:3: conflict: "a"`));
});

test('lines that are too long are told with their place, and keep no other from being stored', async (t) => {
  const { shipping, write } = prepare(t);
  const forServer = 'x'.repeat(1_100_000);
  const forShipper = 'y'.repeat(2_100_000);
  const file = write('app.log', `one\n${forServer}\ntwo\n${forShipper}\n${forServer}`);
  const { code, counts, stderr } = await shipping.ship([file, '--line-bytes-max', '2MiB']);
  assert.deepEqual([code, counts['stored'], counts['rejected'], counts['lines']], [1, 2, 3, 5]);
  for (const number of [2, 4, 5]) assert.match(stderr, new RegExp(`app\\.log:${number}: rejected: .*bytes`));
  assert.deepEqual(await shipping.lines(), ['one', 'two']);
});

test('a server with narrower limits gets smaller requests', async (t) => {
  const args = ['--events-max', '7', '--body-bytes-max', '2KiB', '--event-bytes-max', '1KiB'];
  const narrow = await startServerProcess(t, { dataDir: tempDir(t), args });
  const { shipping, write } = prepare(t, narrow);
  const lines = [...logLines(20), 'x'.repeat(3000), ...logLines(20)];
  const { code, counts, stderr } = await shipping.ship([write('app.log', lines.join('\n'))]);
  assert.deepEqual([code, counts['stored'], counts['rejected']], [1, 40, 1]);
  assert.match(stderr, /app\.log:21: rejected/);
  assert.deepEqual(await shipping.lines(), [...logLines(20), ...logLines(20)]);
});

test('what comes through standard input has the ids of the file it comes from', async (t) => {
  const { shipping, write } = prepare(t);
  const content = `${logLines(2000).join('\n')}\nlast`;
  await shipping.ship([write('app.log', content)]);
  const { code, counts } = await shipping.ship(['-'], { input: content });
  assert.deepEqual([code, counts['stored'], counts['duplicates']], [0, 0, 2001]);
});

test('a compressed log is refused with the way to ship it, and the others are shipped', async (t) => {
  const { dir, shipping, write } = prepare(t);
  const files = [
    write('app.log.1.gz', gzipSync('one\n')),
    join(dir, 'gone.log'),
    dir,
    write('app.log', 'two\n'),
  ];
  const { code, counts, stderr } = await shipping.ship(files);
  assert.deepEqual([code, counts['stored']], [1, 1]);
  assert.match(stderr, /app\.log\.1\.gz: compressed \(gzip\): use zcat/);
  assert.match(stderr, /gone\.log: ENOENT/);
  assert.match(stderr, /EISDIR/);
});

test('a checkpoint that cannot be written costs nothing but the checkpoint', async (t) => {
  const { shipping, write } = prepare(t);
  const file = write('app.log', 'one\n');
  const { code, counts, stderr } = await shipping.ship([file, '--state', join(file, 'state')]);
  assert.deepEqual([code, counts['stored']], [0, 1]);
  assert.match(stderr, /no checkpoint could be written/);
});

test('a log that was shipped to its end leaves no checkpoint', async (t) => {
  const { dir, shipping, write } = prepare(t);
  await shipping.ship([write('app.log', 'one\n')]);
  assert.deepEqual(readdirSync(join(dir, 'state')), []);
});

test('checkpoints lie in the state directory of the user', async (t) => {
  const { dir, write } = prepare(t);
  const args = ['ship', write('app.log', '{"id":"."}\n'), '--topic', t.name, '--url', server.url];
  assert.equal((await runCli(args, { env: { XDG_STATE_HOME: dir } })).code, 0);
  assert.deepEqual(readdirSync(join(dir, 'sekali')), ['ship']);
});

test('a server that is not there, or refuses us, is told', async (t) => {
  const closed = await startServerProcess(t, { dataDir: tempDir(t), env: { SEKALI_API_KEY: 'secret' } });
  const { shipping, write } = prepare(t, closed);
  const file = write('app.log', 'one\n');
  const wrong = await shipping.ship([file, '--key', 'wrong']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /API key/);
  await closed.stop();
  const gone = await shipping.ship([file, '--retry-for-ms', '2000']);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /no answer from .*; trying again\n/);
});

test('every command of the guide works as it stands', async (t) => {
  const { dir, write } = prepare(t);
  write('app.log', '2026-01-31T12:00:00Z one\r\n2026-01-31T12:00:01Z two');
  write('app.log.2.gz', gzipSync('2026-01-31T12:00:00Z one\r\n'));
  write('orders.jsonl', '{"order":{"id":7},"at":1767182400,"host":"web-1"}\n');
  const answers: string[] = [];
  for (const command of commandsOf('docs/guides/ship.md')) {
    if (command.includes('--follow')) continue; // ship-follow.test.ts
    const run = command.replace('npx sekali', `${process.execPath} ${resolve('src/cli/main.ts')}`);
    const env = { PATH: process.env['PATH'], SEKALI_URL: server.url, XDG_STATE_HOME: dir };
    answers.push((await promisify(execFile)('sh', ['-ec', run], { cwd: dir, env })).stdout);
  }
  assert.match(answers[0]!, /"lines":2,"stored":2,"duplicates":0/);
  assert.match(answers[1]!, /"lines":2,"stored":0,"duplicates":2/);
  assert.match(answers[3]!, /"stored":0,"duplicates":1/); // of a copy that was compressed
  assert.equal(answers[4], (JSON.parse(answers[2]!.split('\n')[0]!) as WireStoredEvent).event_id);
  assert.match(answers[5]!, /"stored":2,"duplicates":0/); // with another identity
  assert.match(answers[6]!, /"stored":1.*"without_time":0,"without_id":0/);
});

test('a command line that cannot be meant is refused as a whole', async () => {
  const { code, stderr } = await runCli(['ship', '--url', 'nowhere', '--source', '', '--poll-ms', '0']);
  assert.equal(code, 2);
  assert.match(stderr, /--poll-ms must be an integer/);
  const other = await runCli(['ship', '--url', 'nowhere', '--source', '\n']);
  assert.equal(other.code, 2);
  for (const rule of [
    /name at least one file/,
    /--topic is required/,
    /--url must be/,
    /--source must not/,
  ]) {
    assert.match(other.stderr, rule);
  }
});
