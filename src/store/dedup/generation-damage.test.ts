import assert from 'node:assert/strict';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { KeyIndexHarness, keyOf, nameOf, OWNER } from '../../../test/support/key-index-harness.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { SekaliError } from '../../errors.ts';
import { scanGeneration } from './scan-generation.ts';

const KEYS = 600;

/** A store of one generation of several pages, and a few keys that are not sealed. */
async function sealedStore(t: TestContext) {
  const dir = tempDir(t);
  const harness = new KeyIndexHarness({ dir, hotKeys: KEYS });
  harness.addMany(0, KEYS + 10);
  await harness.settle();
  const path = join(dir, harness.manifest[0]!.name);
  return {
    dir,
    harness,
    path,
    whole: readFileSync(path),
    [Symbol.asyncDispose]: () => harness.index.close(),
  };
}

function checkAll(harness: KeyIndexHarness): void {
  for (let number = 0; number < KEYS + 50; number++) {
    const key = keyOf(number);
    assert.deepEqual(harness.find(key), harness.newest.get(nameOf(key)), `key ${number}`);
  }
}

/** Looks all keys up, and opens again as a store would whenever damage is found. @returns how often */
async function checkWithReopening(harness: KeyIndexHarness): Promise<number> {
  for (let times = 0; ; times++) {
    try {
      checkAll(harness);
      return times;
    } catch (error) {
      if (!(error instanceof SekaliError) || error.code !== 'store_damaged' || times > 2) throw error;
      await harness.reopen();
    }
  }
}

test('a flipped bit is found wherever it is, and no answer is wrong', async (t) => {
  await using store = await sealedStore(t);
  const { dir, harness, path, whole } = store;
  const { manifest } = harness;
  const offset = fc.oneof(
    fc.nat({ max: whole.length - 1 }),
    fc.nat({ max: 4095 }),
    // The directory, after the header and five pages.
    fc.integer({ min: 6 * 4096, max: 6 * 4096 + 5 * 16 - 1 }),
    fc.nat({ max: 1500 }).map((n) => whole.length - 1 - n),
  );
  await fc.assert(
    fc.asyncProperty(offset, fc.nat({ max: 7 }), async (offset, bit) => {
      await harness.index.close();
      for (const name of readdirSync(dir)) rmSync(join(dir, name));
      const bytes = Buffer.from(whole);
      bytes[offset]! ^= 1 << bit;
      writeFileSync(path, bytes);
      harness.manifest = manifest;
      assert.throws(() => [...scanGeneration(path, OWNER)], {
        code: 'store_damaged',
        message: /damaged at byte \d+/,
      });
      await harness.reopen();
      await checkWithReopening(harness);
      await harness.settle();
      checkAll(harness);
      assert.deepEqual(readdirSync(dir).sort(), harness.manifest.map(({ name }) => name).sort());
    }),
    { numRuns: 50 },
  );
});

const losses: Record<string, (path: string, whole: Buffer) => void> = {
  'is cut short': (path) => truncateSync(path, 5000),
  'is cut by one byte': (path, whole) => truncateSync(path, whole.length - 1),
  'is empty': (path) => truncateSync(path, 0),
  'is longer than it was': (path, whole) => writeFileSync(path, Buffer.concat([whole, Buffer.alloc(4096)])),
  'is missing': (path) => rmSync(path),
  'was renamed when it was found damaged': (path) => renameSync(path, `${path}.damaged`),
};

for (const [what, lose] of Object.entries(losses)) {
  test(`a generation whose file ${what} is rebuilt from the log`, async (t) => {
    await using store = await sealedStore(t);
    const { dir, harness, path, whole } = store;
    await harness.index.close();
    lose(path, whole);
    const lost = harness.manifest;
    await harness.reopen();
    checkAll(harness);
    assert.match(harness.progress.join(), /rebuilt from the log/);
    // Not yet adopted: the next start has to do it again.
    await harness.reopen();
    checkAll(harness);
    const step = harness.step();
    assert.deepEqual(step?.remove, lost);
    await harness.index.settled();
    assert.equal(existsSync(`${path}.damaged`), false);
    await harness.reopen();
    assert.equal(harness.index.readyStep(), undefined);
    checkAll(harness);
    assert.deepEqual(
      readdirSync(dir),
      harness.manifest.map(({ name }) => name),
    );
  });
}

test('whole files and pages of another file or place are found out, though their checksums fit', async (t) => {
  await using store = await sealedStore(t);
  await using other = await sealedStore(t);
  const { harness, path, whole } = store;
  await harness.index.close();
  const refused = async (bytes: Buffer, message: RegExp) => {
    writeFileSync(path, bytes);
    assert.throws(() => [...scanGeneration(path, OWNER)], { code: 'store_damaged', message });
    const { manifest } = harness;
    await harness.reopen();
    await checkWithReopening(harness);
    assert.notDeepEqual(harness.index.readyStep()?.add, undefined);
    await harness.index.close();
    harness.manifest = manifest;
  };
  await refused(other.whole, /written under another name/);
  const foreignPage = Buffer.from(whole);
  other.whole.copy(foreignPage, 8192, 8192, 12288);
  await refused(foreignPage, /at byte 8192: the page is of another file/);
  const wrongPlace = Buffer.from(whole);
  whole.copy(wrongPlace, 8192, 12288, 16384);
  await refused(wrongPlace, /at byte 8192: page 2 is in the place of page 1/);
});

test('a file that is not what the manifest says is rebuilt', async (t) => {
  await using store = await sealedStore(t);
  const { harness } = store;
  for (const wrong of [{ keys: KEYS - 1 }, { lastPosition: KEYS - 1 }, { bytes: 4096 }]) {
    harness.manifest = harness.manifest.map((generation) => ({ ...generation, ...wrong }));
    await harness.reopen();
    assert.match(harness.progress.pop() ?? '', /not what the manifest says/);
    harness.step();
  }
});

test('a generation is rebuilt in pieces of a hot table, which are merged again', async (t) => {
  const dir = tempDir(t);
  await using harness = new KeyIndexHarness({ dir });
  harness.addMany(0, 16 * 9);
  await harness.settle();
  // And one that is no multiple of it.
  for (let i = 16 * 9; i < 200; i++) harness.add(keyOf(i));
  harness.index.committed();
  await harness.settle();
  assert.equal(harness.manifest.length, 2);
  for (const { name } of harness.manifest) rmSync(join(dir, name));
  await harness.reopen();
  assert.equal(harness.step()?.add.length, 9 + 4);
  await harness.reopen();
  await harness.settle();
  assert.ok(harness.manifest.length <= 3);
  for (let i = 0; i < 200; i++) assert.equal(harness.find(keyOf(i))?.position, i + 1);
});

test('a lost generation that the log cannot give again is refused, and nothing is removed', async (t) => {
  await using store = await sealedStore(t);
  const { dir, harness, path } = store;
  await harness.index.close();
  renameSync(path, `${path}.damaged`);
  writeFileSync(join(dir, 'merge-1-900-0123456789abcdef.keys'), 'of a younger database');
  const before = readdirSync(dir);
  // But for what a failed start may leave again and again.
  for (const name of ['seal-1-9-0123456789abcdef.keys.tmp', 'rebuild-1-9-0123456789abcdef.keys']) {
    writeFileSync(join(dir, name), 'left over');
  }
  harness.retiredThrough = 100;
  await assert.rejects(harness.reopen(), {
    code: 'store_damaged',
    message: /missing; its keys cannot be taken from the log \(position 1 has been retired\)/,
  });
  assert.deepEqual(readdirSync(dir), before);
});

test('a file of another data directory is not served, but rebuilt', async (t) => {
  await using store = await sealedStore(t);
  const { dir, harness, path } = store;
  await harness.index.close();
  const owner = Uint8Array.from(OWNER, (byte) => byte ^ 1);
  assert.throws(() => [...scanGeneration(path, owner)], { message: /another data directory/ });
  await using moved = new KeyIndexHarness({
    dir,
    owner,
    hotKeys: KEYS,
    generations: harness.manifest,
    log: harness.log,
  });
  assert.match(moved.progress.join(), /another data directory/);
  await moved.settle();
  for (const entry of harness.log) assert.deepEqual(moved.find(entry.key), entry);
});

test('files that the manifest does not name are removed, and files of others left alone', async (t) => {
  await using store = await sealedStore(t);
  const { dir, harness } = store;
  const named = harness.manifest[0]!.name;
  await harness.index.close();
  for (const name of [
    'seal-9-12-0123456789abcdef.keys',
    `${named}.tmp`,
    `rebuild-1-2-0123456789abcdef.keys`,
    'notes.txt',
  ]) {
    writeFileSync(join(dir, name), 'left over');
  }
  await harness.reopen();
  assert.deepEqual(readdirSync(dir).sort(), ['notes.txt', named]);
  checkAll(harness);
});

test('a damaged page is named, set aside and not read again', async (t) => {
  await using store = await sealedStore(t);
  const { harness, path, whole } = store;
  // In place: the file is open.
  const bytes = Buffer.from(whole);
  bytes.fill(0, 8192, 12288);
  writeFileSync(path, bytes);
  assert.throws(() => checkAll(harness), {
    code: 'store_damaged',
    message: /at byte 8192: the page does not fit its checksum/,
  });
  assert.ok(existsSync(`${path}.damaged`));
  await harness.reopen();
  checkAll(harness);
  harness.step();
  await harness.index.settled();
  assert.ok(!existsSync(`${path}.damaged`));
});

test('damage that a merge comes upon fails the index, and the next open mends it', async (t) => {
  const dir = tempDir(t);
  await using harness = new KeyIndexHarness({ dir });
  harness.addMany(0, 32);
  await harness.settle();
  const path = join(dir, harness.manifest[0]!.name);
  const bytes = readFileSync(path);
  bytes[4096 + 40]! ^= 4;
  writeFileSync(path, bytes);
  harness.addMany(32, 16);
  await harness.index.settled();
  harness.step();
  await harness.index.settled();
  assert.throws(() => harness.index.readyStep(), { code: 'store_damaged', message: /at byte 4096/ });
  await harness.reopen();
  await harness.settle();
  assert.deepEqual(
    harness.manifest.map(({ keys }) => keys),
    [48],
  );
  for (let i = 0; i < 48; i++) assert.equal(harness.find(keyOf(i))?.position, i + 1);
});

test('a scan gives every entry, in the order of the keys', async (t) => {
  await using store = await sealedStore(t);
  const { harness, path } = store;
  const scanned = [...scanGeneration(path, OWNER)];
  assert.equal(scanned.length, KEYS);
  for (const entry of scanned) assert.deepEqual(entry, harness.newest.get(nameOf(entry.key)));
});
