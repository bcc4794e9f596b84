import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
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
import { ClientError } from '../client-error.ts';
import { diskSpool } from './disk-spool.ts';

test('what was appended is read in its order, and again until it is settled, by the next process too', async (t) => {
  const dir = tempDir(t);
  const spool = open(t, dir);
  await appendAll(spool, textsOf(0, 5));
  assert.deepEqual((await spool.read({ ...BOUNDS, eventsMax: 2 })).texts, textsOf(0, 2));
  assert.deepEqual((await spool.read({ ...BOUNDS, eventsMax: 2 })).texts, textsOf(0, 2));
  assert.deepEqual((await open(t, crashed(t, dir)).read(BOUNDS)).texts, textsOf(0, 5));
  await settleFirst(spool, 2);
  const next = open(t, crashed(t, dir));
  await next.append('{"n":5}', NEVER);
  assert.deepEqual((await readAll(next)).texts, textsOf(2, 6));
  assert.ok(next.isEmpty);
});

test('where in a group the settling stood is known after a crash', async (t) => {
  const dir = tempDir(t);
  const spool = open(t, dir);
  await Promise.all(textsOf(0, 10).map((text) => spool.append(text, NEVER)));
  await settleFirst(spool, 7);
  assert.deepEqual((await readAll(open(t, crashed(t, dir)))).texts, textsOf(7, 10));
  const without = crashed(t, dir);
  rmSync(join(without, 'progress'));
  assert.deepEqual((await readAll(open(t, without))).texts, textsOf(0, 10));
});

test('a segment goes when all of its events are settled, and its number never comes back', async (t) => {
  const dir = tempDir(t);
  const spool = open(t, dir, { maxBytes: 80_000 });
  await appendAll(spool, largeTexts(60));
  assert.ok(segmentsOf(dir).length >= 5);
  const before = segmentsOf(dir);
  await settleFirst(spool, 30);
  await spool.read(BOUNDS);
  assert.ok(segmentsOf(dir).length < before.length);
  await readAll(spool);
  await spool.close();
  assert.deepEqual(segmentsOf(dir), []);
  const next = open(t, dir);
  await next.append('{}', NEVER);
  assert.ok(segmentsOf(dir)[0]! > before.at(-1)!);
});

test('what a crash has left unfinished is cut off, wherever it stood; nothing else is', async (t) => {
  const dir = tempDir(t);
  const spool = open(t, dir);
  await appendAll(spool, textsOf(0, 2));
  const { size } = statSync(join(dir, FIRST));
  await appendAll(spool, ['{"n":2,"text":"é"}']);
  const whole = crashed(t, dir);
  for (let length = statSync(join(whole, FIRST)).size - 1; length >= size; length--) {
    const torn = crashed(t, whole);
    truncateSync(join(torn, FIRST), length);
    const next = diskSpool(torn);
    await next.append('{"n":9}', NEVER);
    assert.deepEqual(await readAll(next), { texts: [...textsOf(0, 2), '{"n":9}'], damages: [] }, `${length}`);
    await next.close();
  }
});

test('a tail whose pages came to the disk in another order is cut off', async (t) => {
  const dir = tempDir(t);
  const spool = open(t, dir);
  await appendAll(spool, textsOf(0, 2));
  const { size } = statSync(join(dir, FIRST));
  await Promise.all(textsOf(2, 9).map((text) => spool.append(text, NEVER)));
  const torn = crashed(t, dir);
  const bytes = readFileSync(join(torn, FIRST));
  // The last group: `append` of seven shares one, but for the first of them.
  const last = bytes.indexOf(Buffer.from([0xff, 0x53, 0x4b, 1]), size + 1);
  writeFileSync(join(torn, FIRST), bytes.fill(0, last, last + 40));
  assert.deepEqual(await readAll(open(t, torn)), { texts: textsOf(0, 3), damages: [] });
});

test('whichever byte is damaged is found and named, all else is read, and the segment is set aside', async (t) => {
  const dir = tempDir(t);
  const spool = diskSpool(dir);
  await appendAll(spool, textsOf(0, 3));
  await spool.close();
  const headBytes = 16;
  const { size } = statSync(join(dir, FIRST));
  const groupBytes = (size - headBytes) / 3;
  for (let at = 0; at < size; at++) {
    const copy = crashed(t, dir);
    const file = join(copy, FIRST);
    const bytes = readFileSync(file);
    bytes[at]! ^= 0x10;
    writeFileSync(file, bytes);
    const next = diskSpool(copy);
    const { texts, damages } = await readAll(next);
    await next.close();
    const group = Math.floor((at - headBytes) / groupBytes);
    const start = Math.max(0, headBytes + group * groupBytes);
    assert.deepEqual(
      texts,
      textsOf(0, 3).filter((_, n) => n !== group),
      `byte ${at}`,
    );
    const [damage] = damages;
    assert.equal(damage?.code, 'spool_damaged');
    const [{ file: named, offset } = {}] = damage.details as { file: string; offset: number }[];
    assert.equal(named, file);
    assert.ok(offset! >= start && offset! <= at, `byte ${at} was found at ${offset}`);
    assert.match(damage.message, new RegExp(`0001\\.spool is damaged at byte ${offset}: events are lost$`));
    assert.deepEqual(readFileSync(file.replace('.spool', '.damaged')), bytes);
    assert.deepEqual(segmentsOf(copy), []);
  }
});

test('one damaged event takes none of those along that were written with it', async (t) => {
  const dir = tempDir(t);
  const spool = diskSpool(dir);
  await Promise.all(textsOf(0, 9).map((text) => spool.append(text, NEVER)));
  await spool.close();
  const bytes = readFileSync(join(dir, FIRST));
  const at = bytes.indexOf('{"n":4}');
  writeFileSync(join(dir, FIRST), bytes.fill('9', at + 5, at + 6));
  const { texts, damages } = await readAll(open(t, dir));
  assert.deepEqual(texts, [...textsOf(0, 4), ...textsOf(5, 9)]);
  assert.equal(damages.length, 1);
});

test('a segment that is missing or cut short is told', async (t) => {
  const dir = tempDir(t);
  const options = { maxBytes: 80_000 };
  const spool = diskSpool(dir, options);
  await appendAll(spool, largeTexts(40));
  await spool.close();
  const missing = crashed(t, dir);
  rmSync(join(missing, segmentsOf(dir)[1]!));
  const [damage] = (await readAll(open(t, missing, options))).damages;
  assert.match(damage?.message ?? '', /0001\.spool is not followed by the next segment at byte \d+/);
  const short = crashed(t, dir);
  truncateSync(join(short, FIRST), statSync(join(short, FIRST)).size - 16);
  const { texts, damages } = await readAll(open(t, short, options));
  assert.equal(texts.length, 39);
  assert.equal(damages.length, 1);
});

test('the end of the last segment is known after close, to the byte', async (t) => {
  const dir = tempDir(t);
  const spool = diskSpool(dir);
  await appendAll(spool, textsOf(0, 3));
  await spool.close();
  const { size } = statSync(join(dir, FIRST));
  for (let length = 0; length < size; length++) {
    const short = crashed(t, dir);
    truncateSync(join(short, FIRST), length);
    const next = diskSpool(short);
    const { texts, damages } = await readAll(next);
    await next.close();
    assert.deepEqual(texts, textsOf(0, texts.length));
    assert.ok(texts.length < 3);
    assert.equal(damages.length, 1, `${length} bytes were left`);
    assert.deepEqual(segmentsOf(short), []);
  }
});

test('to open and close it takes no more room each time', async (t) => {
  const dir = tempDir(t);
  const spool = diskSpool(dir);
  await appendAll(spool, textsOf(0, 3));
  await spool.close();
  const before = segmentsOf(dir);
  for (let n = 0; n < 3; n++) {
    const next = diskSpool(dir);
    await next.read(BOUNDS);
    await next.close();
  }
  assert.deepEqual(segmentsOf(dir), before);
  assert.deepEqual(await readAll(open(t, dir)), { texts: textsOf(0, 3), damages: [] });
});

test('a full spool fails, or waits until the server has taken some; then it takes again', async (t) => {
  const text = JSON.stringify({ text: 'x'.repeat(10_000) });
  const failing = open(t, tempDir(t), { maxBytes: 65_536, whenFull: 'fail' });
  await appendAll(failing, Array<string>(6).fill(text));
  await assert.rejects(failing.append(text, NEVER), { code: 'spool_full', retryable: true });
  await assert.rejects(failing.append(`"${'x'.repeat(65_536)}"`, NEVER), {
    code: 'spool_full',
    retryable: false,
  });
  await readAll(failing);
  await failing.append(text, NEVER);

  const waiting = open(t, tempDir(t), { maxBytes: 65_536 });
  await appendAll(waiting, Array<string>(6).fill(text));
  const gone = new AbortController();
  const givenUp = waiting.append(text, gone.signal);
  const late = waiting.append('{"late":1}', NEVER).then(() => 'taken');
  gone.abort(new ClientError('publisher_closed', 'gone'));
  await assert.rejects(givenUp, { code: 'publisher_closed' });
  assert.equal(await late, 'taken');
  const seventh = waiting.append(text, NEVER).then(() => 'taken');
  assert.notEqual(await Promise.race([seventh, new Promise(setImmediate)]), 'taken');
  await readAll(waiting);
  assert.equal(await seventh, 'taken');
});

test('one publisher at a time has a directory; the next one gets it when that has let go', async (t) => {
  const dir = tempDir(t);
  const first = open(t, dir);
  await first.append('{}', NEVER);
  const second = open(t, dir);
  await assert.rejects(second.append('{}', NEVER), {
    code: 'spool_in_use',
    message: new RegExp(`in use by process ${process.pid} on `),
  });
  await first.close();
  await second.append('{}', NEVER);
});

test('options that cannot be meant are refused', () => {
  assert.throws(() => diskSpool('x', { maxBytes: 1000 }), { code: 'option_invalid' });
  assert.throws(() => diskSpool('x', { whenFull: 'drop' as 'fail' }), { code: 'option_invalid' });
});
