import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { KeyIndexHarness, keyOf, nameOf, OWNER } from '../../../test/support/key-index-harness.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { GenerationIndex } from './generation-index.ts';
import { scanGeneration } from './scan-generation.ts';

type Action =
  | { kind: 'add'; number: number; windowClass: number }
  | { kind: 'find'; number: number }
  | { kind: 'commit' | 'wait' | 'step' | 'loseStep' | 'settle' | 'reopen' };

const NUMBERS = 400;
const number = fc.nat({ max: NUMBERS });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 60,
    arbitrary: fc.record({ kind: fc.constant('add'), number, windowClass: fc.constantFrom(0, 0, 7) }),
  },
  { weight: 20, arbitrary: fc.record({ kind: fc.constant('find'), number }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constantFrom('commit', 'wait', 'step') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('loseStep', 'settle', 'reopen') }) },
);

async function act(harness: KeyIndexHarness, action: Action): Promise<void> {
  switch (action.kind) {
    case 'add':
      harness.add(keyOf(action.number), action.windowClass);
      break;
    case 'find':
      checkKey(harness, action.number);
      break;
    case 'commit':
      harness.index.committed();
      break;
    case 'wait':
      await harness.index.settled();
      break;
    case 'step':
      harness.step();
      break;
    case 'loseStep': {
      // Written, and the process dies before it is adopted; or not even written.
      const step = harness.index.readyStep();
      if (step !== undefined && harness.log.length % 2 === 0) harness.write(step);
      await harness.reopen();
      break;
    }
    case 'settle':
      await harness.settle();
      break;
    case 'reopen':
      await harness.reopen();
      break;
  }
}

function checkKey(harness: KeyIndexHarness, number: number): void {
  const key = keyOf(number);
  assert.deepEqual(harness.find(key), harness.newest.get(nameOf(key)), `key ${number}`);
}

function checkAll(harness: KeyIndexHarness): void {
  for (let number = 0; number <= NUMBERS; number++) checkKey(harness, number);
}

test('the index finds what a map finds, whatever is sealed, merged, lost and opened again', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 100, maxLength: 600, size: 'max' }), async (actions) => {
      const dir = tempDir(t);
      await using harness = new KeyIndexHarness({ dir });
      for (const each of actions) await act(harness, each);
      checkAll(harness);
      await harness.settle();
      checkAll(harness);
      await harness.reopen();
      checkAll(harness);
      assert.deepEqual(readdirSync(dir).sort(), harness.manifest.map(({ name }) => name).sort());
    }),
    { numRuns: 20 },
  );
});

test('of a key that is in several places the newest entry is found', async (t) => {
  await using harness = new KeyIndexHarness({ dir: tempDir(t), mergeFanIn: 4 });
  const sealAll = async () => {
    await harness.index.settled();
    harness.step();
  };
  // Twice hot and frozen; then twice in a generation; then merged.
  for (let round = 0; round < 3; round++) {
    harness.addMany(0, 16);
    checkAll(harness);
    harness.addMany(0, 16);
    checkAll(harness);
    harness.add(keyOf(3));
    checkAll(harness);
    await sealAll();
    checkAll(harness);
  }
  await harness.settle();
  checkAll(harness);
});

test('generations are merged, so that there are few of many keys', async (t) => {
  await using harness = new KeyIndexHarness({ dir: tempDir(t), hotKeys: 16, mergeFanIn: 4 });
  for (let i = 0; i < 100; i++) {
    harness.addMany(i * 16, 16);
    await harness.settle();
  }
  const { generations, sealedKeys, size, frozen } = harness.index.stats();
  assert.deepEqual({ sealedKeys, size, frozen }, { sealedKeys: 1600, size: 1600, frozen: 0 });
  assert.ok(generations <= 9, `${generations} generations`);
  assert.equal(harness.sealedThrough, 1600);
});

test('generations larger than what is read or written at a time are whole', async (t) => {
  const dir = tempDir(t);
  await using harness = new KeyIndexHarness({ dir, hotKeys: 40_000, mergeFanIn: 2 });
  harness.addMany(0, 80_000);
  await harness.settle();
  assert.deepEqual(
    harness.manifest.map(({ keys }) => keys),
    [80_000],
  );
  assert.equal([...scanGeneration(join(dir, harness.manifest[0]!.name), OWNER)].length, 80_000);
  for (let i = 0; i < 80_000; i++) assert.equal(harness.index.find(keyOf(i))?.position, i + 1);
});

test('steps may be adopted as soon as they are ready, also while a merge is under way', async (t) => {
  await using harness = new KeyIndexHarness({ dir: tempDir(t), onReady: () => harness.step() });
  for (let i = 0; i < 27; i++) {
    harness.addMany(i * 16, 16);
    if (i % 3 === 2) await harness.index.room();
  }
  await harness.settle();
  assert.equal(harness.sealedThrough, 27 * 16);
  assert.ok(harness.manifest.length <= 6, `${harness.manifest.length} generations`);
  for (let i = 0; i < 27 * 16; i++) assert.equal(harness.find(keyOf(i))?.position, i + 1);
});

test('a step stays the same until it is adopted, and the table is looked up until then', async (t) => {
  await using harness = new KeyIndexHarness({ dir: tempDir(t) });
  harness.addMany(0, 16);
  await harness.index.settled();
  const step = harness.index.readyStep();
  assert.equal(step?.sealedThrough, 16);
  harness.addMany(16, 16);
  await harness.index.settled();
  assert.equal(harness.index.readyStep(), step);
  assert.equal(harness.index.stats().frozen, 2);
  checkAll(harness);
  assert.throws(() => harness.index.adopt({ ...step, add: [] }), /not the step/);
  assert.equal(harness.step(), step);
  assert.equal(harness.index.readyStep()?.sealedThrough, 32);
});

test('there is no room while four tables wait for being sealed', async (t) => {
  await using harness = new KeyIndexHarness({ dir: tempDir(t) });
  harness.addMany(0, 48);
  assert.equal(harness.index.room(), undefined);
  harness.addMany(48, 16);
  const room = harness.index.room();
  assert.ok(room);
  assert.equal(harness.index.room(), room);
  await room;
  assert.equal(harness.index.room(), undefined);
  await harness.settle();
});

test('a store that is idle is told that a step is ready', async (t) => {
  const ready = Promise.withResolvers<void>();
  await using harness = new KeyIndexHarness({ dir: tempDir(t), onReady: () => ready.resolve() });
  assert.equal(harness.index.readyStep(), undefined);
  harness.addMany(0, 16);
  await ready.promise;
  assert.ok(harness.step());
});

test('one transaction may add many more keys than a table is frozen at', async (t) => {
  await using harness = new KeyIndexHarness({ dir: tempDir(t) });
  for (let i = 0; i < 3000; i++) harness.add(keyOf(i));
  harness.index.committed();
  await harness.settle();
  assert.deepEqual(
    harness.manifest.map(({ keys }) => keys),
    [3000],
  );
  checkAll(harness);
});

test('what cannot be written is a failure that the next step tells', async (t) => {
  const dir = join(tempDir(t), 'keys');
  await using harness = new KeyIndexHarness({ dir });
  rmSync(dir, { recursive: true });
  writeFileSync(dir, 'in the way');
  harness.addMany(0, 16 * 4);
  await assert.rejects(harness.index.room()!, { code: 'store_unavailable' });
  assert.throws(() => harness.index.readyStep(), { code: 'store_unavailable' });
  await harness.index.close();
  rmSync(dir);
  await harness.reopen();
  await harness.settle();
  checkAll(harness);
});

test('close wakes who waits for room, and breaks off what is being done', async (t) => {
  await using harness = new KeyIndexHarness({ dir: tempDir(t) });
  harness.addMany(0, 16 * 6);
  const refused = assert.rejects(harness.index.room()!, { code: 'store_unavailable' });
  await harness.index.close();
  await refused;
  await harness.reopen();
  checkAll(harness);
  await harness.settle();
});

test('a manifest whose generations overlap is refused', (t) => {
  const range = { keys: 1, bytes: 1, name: 'seal-1-2-0123456789abcdef.keys' };
  const generations = [
    { ...range, firstPosition: 1, lastPosition: 5 },
    { ...range, firstPosition: 5, lastPosition: 9 },
  ];
  const open = () => GenerationIndex.open({ dir: tempDir(t), owner: OWNER, generations, readLog: () => [] });
  assert.throws(open, { code: 'store_damaged', message: /contradicts itself/ });
});
