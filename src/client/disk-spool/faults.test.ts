/** The spool on a disk that fails, holds things up, or has forgotten some of what it was told. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  appendAll,
  BOUNDS,
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

/** Each is a segment. */
const segmentTexts = (count: number) => textsOf(0, count).map((n) => `[${n},"${'x'.repeat(9000)}"]`);

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
