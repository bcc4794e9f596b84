/** The spool on a disk that fails, holds things up, or has forgotten some of what it was told. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import promises, { type FileHandle, open as openFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  appendAll,
  BOUNDS,
  crashed,
  FIRST,
  largeTexts,
  NEVER,
  open,
  readAll,
  segmentsOf,
  settleFirst,
  textsOf,
} from '../../../test/support/spool-dir.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { diskSpool } from './disk-spool.ts';

const failure = (code: string) => Object.assign(new Error(code), { code });

/** What all file handles do, to be put in place of it. */
async function fileHandles(): Promise<FileHandle> {
  await using handle = await openFile(import.meta.filename);
  return Object.getPrototypeOf(handle) as FileHandle;
}

/** All that is asked of this method fails until the test says otherwise. */
async function failing(t: TestContext, method: 'datasync' | 'truncate'): Promise<() => void> {
  const fake = t.mock.method(await fileHandles(), method, () => Promise.reject(failure('EIO')));
  return () => fake.mock.restore();
}

/** No file can be removed so many times, or until the test says otherwise. */
function failingUnlink(t: TestContext, times = Number.POSITIVE_INFINITY): () => void {
  const { unlink } = promises;
  const mend = () => {
    promises.unlink = unlink;
    syncBuiltinESMExports();
  };
  let calls = 0;
  promises.unlink = async (path) => {
    if (++calls <= times) throw failure('EBUSY');
    await unlink(path);
  };
  syncBuiltinESMExports();
  t.after(mend);
  return mend;
}

/** The next call that is meant waits; others go on. */
async function held(t: TestContext, method: 'datasync' | 'write', isMeant: (args: unknown[]) => boolean) {
  const handles = await fileHandles();
  const real = handles[method] as (...args: unknown[]) => Promise<unknown>;
  const called = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  t.mock.method(handles, method, async function (this: FileHandle, ...args: unknown[]) {
    if (isMeant(args)) {
      called.resolve();
      await go.promise;
    }
    return await real.apply(this, args);
  } as never);
  return { called: called.promise, go: go.resolve };
}

test('a segment that was left after a failed sync is whole up to there for the next process', async (t) => {
  const dir = tempDir(t);
  const spool = open(t, dir);
  await spool.append('{"n":0}', NEVER);
  const mendSync = await failing(t, 'datasync');
  const mendCut = await failing(t, 'truncate');
  await assert.rejects(spool.append('{"not":"taken"}', NEVER), { code: 'spool_failed' });
  mendSync();
  mendCut();
  await appendAll(spool, textsOf(1, 3));
  assert.match(readFileSync(join(dir, FIRST), 'latin1'), /not/);
  const left = crashed(t, dir);
  const next = diskSpool(left);
  assert.deepEqual(await readAll(next), { texts: textsOf(0, 3), damages: [] });
  await next.close();
  assert.deepEqual(readdirSync(left).sort(), ['lock', 'owner', 'progress']);
});

test('a crash may leave a new segment without anything, behind one that it has left unfinished', async (t) => {
  const dir = tempDir(t);
  await appendAll(open(t, dir), textsOf(0, 3));
  const left = crashed(t, dir);
  truncateSync(join(left, FIRST), statSync(join(left, FIRST)).size - 1);
  writeFileSync(join(left, FIRST.replace('1', '2')), '');
  const next = open(t, left);
  await next.append('{"n":2}', NEVER);
  assert.deepEqual(await readAll(next), { texts: textsOf(0, 3), damages: [] });
});

/** Each is a segment. */
const segmentTexts = (count: number) => textsOf(0, count).map((n) => `[${n},"${'x'.repeat(9000)}"]`);

test('a segment that could neither be begun nor removed again is none for the next process', async (t) => {
  const dir = tempDir(t);
  const spool = diskSpool(dir);
  const mends = [await failing(t, 'datasync'), await failing(t, 'truncate'), failingUnlink(t)];
  await assert.rejects(spool.append('{"not":"taken"}', NEVER), { code: 'spool_failed' });
  assert.deepEqual(segmentsOf(dir), [FIRST]);
  for (const mend of mends) mend();
  await spool.close();
  assert.deepEqual(await readAll(open(t, dir)), { texts: [], damages: [] });
});

test('who waits for room gets it, although a segment could not be removed at first', async (t) => {
  const spool = open(t, tempDir(t), { maxBytes: 65_536 });
  const texts = segmentTexts(8);
  await appendAll(spool, texts.slice(0, 7));
  const late = spool.append(texts[7]!, NEVER);
  failingUnlink(t, 1);
  await settleFirst(spool, 1);
  await late;
  assert.deepEqual((await readAll(spool)).texts, texts.slice(1));
});

test('a segment that cannot be removed is told to who waits for room and who reads, and is not read again', async (t) => {
  const dir = tempDir(t);
  const spool = open(t, dir, { maxBytes: 65_536 });
  const texts = segmentTexts(8);
  await appendAll(spool, texts.slice(0, 7));
  const late = assert.rejects(spool.append(texts[7]!, NEVER), {
    code: 'spool_failed',
    message: /0001\.spool cannot be removed: EBUSY/,
  });
  const mend = failingUnlink(t);
  await settleFirst(spool, 1);
  await late;
  await assert.rejects(spool.read(BOUNDS), { code: 'spool_failed' });
  assert.ok(!spool.isEmpty);
  mend();
  assert.deepEqual((await readAll(spool)).texts, texts.slice(1, 7));
  await spool.close();
  assert.deepEqual(segmentsOf(dir), []);
});

test('room is made while a page is being settled', async (t) => {
  const dir = tempDir(t);
  const spool = open(t, dir, { maxBytes: 65_536 });
  await spool.append('{"n":0}', NEVER);
  await spool.read(BOUNDS);
  const progress = await held(t, 'write', ([what]) => typeof what === 'string');
  const sync = await held(t, 'datasync', () => true);
  const settled = spool.settle([]);
  await progress.called;
  // It has room only alone.
  const large = JSON.stringify('x'.repeat(65_536 - 60));
  const taken = spool.append(large, NEVER);
  await sync.called;
  progress.go();
  await settled;
  sync.go();
  await taken;
  assert.deepEqual(await readAll(spool), { texts: [large], damages: [] });
});

test('a segment that comes back after it was settled is removed unread', async (t) => {
  const dir = tempDir(t);
  const options = { maxBytes: 80_000 };
  const spool = diskSpool(dir, options);
  const texts = largeTexts(40);
  await appendAll(spool, texts);
  const bytes = readFileSync(join(dir, FIRST));
  await settleFirst(spool, 30);
  while (segmentsOf(dir).includes(FIRST.replace('1', '2'))) await settleFirst(spool, 1);
  await spool.close();
  writeFileSync(join(dir, FIRST), bytes);
  const { texts: rest, damages } = await readAll(open(t, dir, options));
  assert.deepEqual(damages, []);
  assert.deepEqual(rest, texts.slice(-rest.length));
  assert.ok(rest.length < 30);
});

test('progress that cannot be read is not taken for none', async (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'progress'));
  const spool = open(t, dir);
  await assert.rejects(spool.append('{}', NEVER), {
    code: 'spool_failed',
    message: /cannot be opened: EISDIR/,
  });
  rmSync(join(dir, 'progress'), { recursive: true });
  await spool.append('{}', NEVER);
});
