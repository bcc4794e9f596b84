import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { KeyIndexHarness, keyOf, nameOf } from '../../../test/support/key-index-harness.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';

const HOUR = 7;
const DAY = 8;

test('sealing and merging leave out what can be forgotten, and nothing else', async (t) => {
  await using harness = new KeyIndexHarness({ dir: tempDir(t) });
  // Positions 1 to 64, their classes in turn: 0, HOUR, DAY, 65535.
  const classes = [0, HOUR, DAY, 0xffff];
  const addTurn = (first: number) => {
    for (let i = first; i < first + 16; i++) harness.add(keyOf(i), classes[i % 4]);
    harness.index.committed();
  };
  addTurn(0);
  await harness.settle();
  harness.index.dropForgotten([
    [HOUR, 1000],
    [DAY, 7],
  ]);
  addTurn(16);
  await harness.settle();
  assert.deepEqual(
    harness.manifest.map(({ keys }) => keys),
    [16, 12],
    'what was sealed before is as it was',
  );
  addTurn(32);
  await harness.settle();
  assert.equal(harness.manifest.length, 1);
  for (let i = 0; i < 48; i++) {
    const isForgotten = i % 4 === 1 || (i % 4 === 2 && i + 1 < 7);
    assert.equal(harness.find(keyOf(i))?.position, isForgotten ? undefined : i + 1, `position ${i + 1}`);
  }
});

test('a generation that can be forgotten as a whole is dropped without being read', async (t) => {
  await using harness = new KeyIndexHarness({ dir: tempDir(t), mergeFanIn: 100 });
  harness.addMany(0, 16, HOUR);
  harness.addMany(16, 16, DAY);
  harness.addMany(32, 15, HOUR);
  harness.addMany(47, 1, 0);
  await harness.settle();
  const [oldest, ...others] = harness.manifest;
  harness.index.dropForgotten([[HOUR, 16]]);
  assert.equal(harness.index.readyStep(), undefined, 'position 16 is to be kept still');
  harness.index.dropForgotten([
    [0, 1000],
    [HOUR, 49],
  ]);
  assert.deepEqual(harness.step(), { add: [], remove: [oldest] });
  assert.deepEqual(harness.manifest, others);
  assert.equal(harness.find(keyOf(3)), undefined);
  assert.equal(harness.find(keyOf(47))?.position, 48);
  // Said twice before it is adopted, it is one step.
  harness.index.dropForgotten([[DAY, 49]]);
  harness.index.dropForgotten([[DAY, 49]]);
  assert.equal(harness.step()?.remove.length, 1);
  assert.equal(harness.index.readyStep(), undefined);
  await harness.reopen();
  assert.equal(harness.find(keyOf(20)), undefined);
});

test('a table of which all can be forgotten is sealed to nothing', async (t) => {
  await using harness = new KeyIndexHarness({ dir: tempDir(t) });
  harness.index.dropForgotten([[HOUR, 1000]]);
  harness.addMany(0, 16, HOUR);
  await harness.index.settled();
  assert.deepEqual(harness.step(), { add: [], remove: [], sealedThrough: 16 });
  assert.deepEqual(harness.manifest, []);
  assert.equal(harness.find(keyOf(0)), undefined);
});

test('a generation of more classes than its header has room for is kept until it is merged', async (t) => {
  await using harness = new KeyIndexHarness({ dir: tempDir(t), hotKeys: 400, mergeFanIn: 2 });
  const all = Array.from({ length: 400 }, (_, i) => [i + 1, 10_000] as const);
  const addAll = (first: number) => {
    for (const [windowClass] of all) harness.add(keyOf(first + windowClass), windowClass);
    harness.index.committed();
  };
  addAll(0);
  await harness.settle();
  await harness.reopen();
  harness.index.dropForgotten(all);
  assert.equal(harness.index.readyStep(), undefined);
  harness.index.dropForgotten([]);
  addAll(400);
  await harness.index.settled();
  harness.index.dropForgotten(all);
  await harness.settle();
  assert.deepEqual(harness.manifest, []);
});

test('a key that is known again after it was forgotten has its newest entry, wherever the older one is', async (t) => {
  const event = fc.record({ number: fc.nat({ max: 60 }), windowClass: fc.constantFrom(0, HOUR, DAY) });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 100, maxLength: 400, size: 'max' }), async (events) => {
      await using harness = new KeyIndexHarness({ dir: tempDir(t), hotKeys: 8, mergeFanIn: 2 });
      const before = { [HOUR]: 0, [DAY]: 0 };
      for (const [i, { number, windowClass }] of events.entries()) {
        harness.add(keyOf(number), windowClass);
        harness.index.committed();
        if (i % 20 === 0) await harness.index.settled();
        if (i % 10 === 0) harness.step();
        if (i % 50 !== 49) continue;
        before[HOUR] = Math.max(0, i - 20);
        before[DAY] = Math.max(0, i - 60);
        harness.index.dropForgotten([
          [HOUR, before[HOUR]],
          [DAY, before[DAY]],
        ]);
      }
      await harness.settle();
      for (let number = 0; number <= 60; number++) {
        const key = keyOf(number);
        const newest = harness.newest.get(nameOf(key));
        const found = harness.find(key);
        const isKept =
          newest?.windowClass === 0 || (newest && newest.position >= before[newest.windowClass as 7 | 8]);
        if (isKept) assert.deepEqual(found, newest);
        else if (found) assert.deepEqual(found, { ...harness.log[found.position - 1], key });
      }
    }),
    { numRuns: 15 },
  );
});
