import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Generation } from './generation.ts';
import { planMerge } from './plan-merge.ts';

function generations(...sizes: number[]): Generation[] {
  return sizes.map((keys, i) => ({
    name: String(i),
    firstPosition: i + 1,
    lastPosition: i + 1,
    keys,
    bytes: 0,
  }));
}

function plan(fanIn: number, ...sizes: number[]): number[] | undefined {
  return planMerge(generations(...sizes), { hotKeys: 100, fanIn })?.map(({ keys }) => keys);
}

test('as many as the fan-in of one level are merged', () => {
  assert.equal(plan(4), undefined);
  assert.equal(plan(4, 100, 100, 100), undefined);
  assert.deepEqual(plan(4, 100, 100, 100, 100), [100, 100, 100, 100]);
  assert.deepEqual(plan(4, 1600, 400, 400, 90, 110, 100, 100, 100), [90, 110, 100, 100]);
  assert.deepEqual(plan(4, 1600, 400, 410, 380, 400, 100, 100, 100), [400, 410, 380, 400]);
});

test('only neighbours are merged; smaller ones between them go along', () => {
  assert.equal(plan(2, 100, 400, 100), undefined);
  assert.deepEqual(plan(2, 400, 100, 400, 100), [400, 100, 400]);
  assert.deepEqual(plan(2, 3, 5), [3, 5]);
});

test('generations do not grow without bound', () => {
  assert.equal(plan(2, 2 ** 27 + 1, 2 ** 27), undefined);
  assert.deepEqual(plan(2, 2 ** 27, 2 ** 27), [2 ** 27, 2 ** 27]);
});

test('of any number of sealed tables, fewer than the fan-in of each level are left, each key rewritten once a level', () => {
  for (const fanIn of [2, 4, 8]) {
    let sizes: number[] = [];
    let rewritten = 0;
    for (let sealed = 1; sealed <= 1000; sealed++) {
      sizes.push(100);
      for (;;) {
        const inputs = planMerge(generations(...sizes), { hotKeys: 100, fanIn });
        if (inputs === undefined) break;
        const begin = Number(inputs[0]!.name);
        const keys = inputs.reduce((sum, each) => sum + each.keys, 0);
        rewritten += keys;
        sizes = [...sizes.slice(0, begin), keys, ...sizes.slice(begin + inputs.length)];
      }
      const levels = Math.floor(Math.log(sealed) / Math.log(fanIn) + 1e-9) + 1;
      assert.ok(sizes.length <= levels * (fanIn - 1), `${sizes.length} of ${sealed} at fan-in ${fanIn}`);
    }
    assert.ok(rewritten / 100_000 <= Math.log(1000) / Math.log(fanIn));
  }
});
