import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { type Following, Shipping } from '../support/shipping.ts';
import { tempDir } from '../support/temp-dir.ts';

const suite = { after: (release: () => unknown) => after(() => void release()) };
const server = await startServerProcess(suite, { dataDir: tempDir(suite) });

/** A log, and one who follows it. */
function prepare(t: TestContext, to: ServerProcess = server) {
  const dir = tempDir(t);
  const file = join(dir, 'app.log');
  const state = join(dir, 'state');
  const shipping = new Shipping(to, { topic: t.name, state });
  function follow(): Following {
    const following = shipping.follow([file]);
    t.after(() => following.signal('SIGKILL'));
    return following;
  }
  return { dir, file, state, shipping, follow };
}

test('a log is followed as it grows, and a line is shipped when it has its newline', async (t) => {
  const { file, shipping, follow } = prepare(t);
  writeFileSync(file, 'one\npar');
  const following = follow();
  await shipping.stored(1);
  appendFileSync(file, 'tial\nthree\nopen');
  await shipping.stored(3);
  const { code, counts, stderr } = await following.stop();
  assert.deepEqual([code, counts['stored'], counts['lines']], [0, 3, 3]);
  assert.match(stderr, /app\.log:4 has no newline yet/);
  assert.deepEqual(await shipping.lines(), ['one', 'partial', 'three']);
});

test('following goes on where it was stopped, and sends nothing twice', async (t) => {
  const { file, shipping, follow } = prepare(t);
  writeFileSync(file, 'one\ntwo\nope');
  const first = follow();
  await shipping.stored(2);
  await first.stop('SIGINT');
  appendFileSync(file, 'n\nfour\n');
  const second = follow();
  await shipping.stored(4);
  const { code, counts } = await second.stop();
  assert.deepEqual([code, counts['skipped'], counts['stored'], counts['duplicates']], [0, 2, 2, 0]);
  assert.deepEqual(await shipping.lines(), ['one', 'two', 'open', 'four']);
});

test('a damaged checkpoint costs sending again, no more', async (t) => {
  const { file, state, shipping, follow } = prepare(t);
  writeFileSync(file, 'one\ntwo\n');
  const first = follow();
  await shipping.stored(2);
  await first.stop();
  const checkpoint = join(state, readdirSync(state)[0]!);
  const good = JSON.parse(readFileSync(checkpoint, 'utf8')) as { offset: number };
  writeFileSync(checkpoint, JSON.stringify({ ...good, offset: 4 }));
  appendFileSync(file, 'three\n');
  const second = follow();
  await shipping.stored(3);
  const { counts, stderr } = await second.stop();
  assert.deepEqual([counts['skipped'], counts['stored'], counts['duplicates']], [0, 1, 2]);
  assert.match(stderr, /from its start, for it is not what was shipped before/);
  assert.deepEqual(await shipping.lines(), ['one', 'two', 'three']);
});

test('a checkpoint is not believed when the server has lost what was shipped', async (t) => {
  const old = await startServerProcess(t, { dataDir: tempDir(t) });
  const port = Number(new URL(old.url).port);
  const { file, shipping, follow } = prepare(t, old);
  writeFileSync(file, 'one\ntwo\n');
  const first = follow();
  await shipping.stored(2);
  await first.stop();
  await old.stop();
  await startServerProcess(t, { dataDir: tempDir(t), port });
  const second = follow();
  await shipping.stored(2);
  assert.match((await second.stop()).stderr, /the server does not have what was shipped before/);
  assert.deepEqual(await shipping.lines(), ['one', 'two']);
});

test('a log that is not there yet is waited for', async (t) => {
  const { file, shipping, follow } = prepare(t);
  const following = follow();
  await following.told('is not there yet');
  writeFileSync(file, 'one\n');
  await shipping.stored(1);
  assert.equal((await following.stop()).code, 0);
});

test('a rotated log is read to its end before the new one, whatever is still written to it', async (t) => {
  const { file, shipping, follow } = prepare(t);
  writeFileSync(file, 'one\n');
  const following = follow();
  await shipping.stored(1);
  const old = openSync(file, 'a');
  renameSync(file, `${file}.1`);
  writeFileSync(file, '');
  writeSync(old, 'two\n');
  await shipping.stored(2);
  writeSync(old, 'three');
  writeFileSync(file, 'four\n');
  await shipping.stored(4);
  const { code, stderr } = await following.stop();
  assert.equal(code, 0);
  assert.match(stderr, /app\.log was rotated: going on in .*app\.log\n/);
  assert.deepEqual(await shipping.lines(), ['one', 'two', 'three', 'four']);
});

test('a log that is rotated twice between two looks loses nothing', async (t) => {
  const { file, shipping, follow } = prepare(t);
  writeFileSync(file, 'one\n');
  const following = follow();
  await shipping.stored(1);
  following.signal('SIGSTOP');
  appendFileSync(file, 'two\n');
  rotate(file, 'three\n');
  rotate(file, 'four\n');
  following.signal('SIGCONT');
  await shipping.stored(4);
  await following.stop();
  assert.deepEqual(await shipping.lines(), ['one', 'two', 'three', 'four']);
});

test('a log that is rotated while nobody follows it loses nothing', async (t) => {
  const { file, shipping, follow } = prepare(t);
  writeFileSync(file, 'one\n');
  const first = follow();
  await shipping.stored(1);
  await first.stop();
  appendFileSync(file, 'two\n');
  rotate(file, 'three\n');
  rotate(file, 'four\n');
  const second = follow();
  await shipping.stored(4);
  const { counts, stderr } = await second.stop();
  assert.deepEqual([counts['skipped'], counts['stored'], counts['duplicates']], [1, 3, 0]);
  assert.match(stderr, /app\.log was rotated: going on in .*app\.log\.2\n/);
  assert.deepEqual(await shipping.lines(), ['one', 'two', 'three', 'four']);
});

test('a log that is truncated is begun again, after the rest of the copy that was made of it', async (t) => {
  const { file, shipping, follow } = prepare(t);
  writeFileSync(file, 'one\ntwo\n');
  const following = follow();
  await shipping.stored(2);
  following.signal('SIGSTOP');
  appendFileSync(file, 'three\n');
  copyFileSync(file, `${file}.1`);
  truncateSync(file);
  appendFileSync(file, 'four\n');
  following.signal('SIGCONT');
  await shipping.stored(4);
  assert.match(
    (await following.stop()).stderr,
    /was truncated: from its start, after the rest of .*app\.log\.1/,
  );
  assert.deepEqual(await shipping.lines(), ['one', 'two', 'three', 'four']);
});

test('a log that is truncated and has grown beyond its old length again is begun again', async (t) => {
  const { file, shipping, follow } = prepare(t);
  writeFileSync(file, 'one\nopen');
  const following = follow();
  await shipping.stored(1);
  following.signal('SIGSTOP');
  truncateSync(file);
  appendFileSync(file, 'another\nand another\n');
  following.signal('SIGCONT');
  await shipping.stored(4);
  await following.stop();
  assert.deepEqual(await shipping.lines(), ['one', 'open', 'another', 'and another']);
});

test('a server that is killed and comes back gets every line once', async (t) => {
  const dataDir = tempDir(t);
  const first = await startServerProcess(t, { dataDir });
  const { file, shipping, follow } = prepare(t, first);
  writeFileSync(file, 'one\n');
  const following = follow();
  await shipping.stored(1);
  await first.stop('SIGKILL');
  appendFileSync(file, 'two\n');
  await following.told('; trying again');
  appendFileSync(file, 'three\n');
  await startServerProcess(t, { dataDir, port: Number(new URL(first.url).port) });
  await shipping.stored(3);
  const { code, stderr } = await following.stop();
  assert.equal(code, 0);
  assert.match(stderr, /the server takes events again/);
  assert.deepEqual(await shipping.lines(), ['one', 'two', 'three']);
});

test('several logs are followed at the same time', async (t) => {
  const { dir, shipping } = prepare(t);
  const files = ['a.log', 'b.log'].map((name) => join(dir, name));
  for (const file of files) writeFileSync(file, `${file}\n`);
  const following = shipping.follow(files);
  t.after(() => following.signal('SIGKILL'));
  await shipping.stored(2);
  for (const file of files) appendFileSync(file, 'more\n');
  await shipping.stored(4);
  assert.equal((await following.stop()).code, 0);
  assert.deepEqual(new Set(await shipping.lines()), new Set([...files, 'more']));
});

/** As logrotate does: the numbers go up, and a new file takes the name. */
function rotate(file: string, content: string): void {
  const numbers = readdirSync(join(file, '..'))
    .map((name) => Number(/^app\.log\.(\d+)$/.exec(name)?.[1]))
    .filter((number) => number > 0);
  for (const number of numbers.sort((a, b) => b - a))
    renameSync(`${file}.${number}`, `${file}.${number + 1}`);
  renameSync(file, `${file}.1`);
  writeFileSync(file, content);
}
