import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BLOCKS, blockIn } from '../../bench/figures.ts';

const readme = readFileSync('README.md', 'utf8');

for (const block of BLOCKS) {
  test(`the README shows what bench/results/${block.report}.json says, and nothing while there is none`, () => {
    // An empty place waits for its bench.
    assert.equal(blockIn(readme, block) || undefined, block.render());
  });
}
