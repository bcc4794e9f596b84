/**
 * The key index is killed at every point of its background work; what is opened after that has every key. This file is its
 * own victim: run with a directory as its argument, it works on an index there until it is killed.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BACKGROUND_FAILPOINTS } from '../../src/failpoint.ts';
import type { Generation, Step } from '../../src/store/dedup/generation.ts';
import { KeyIndexHarness, keyOf } from '../support/key-index-harness.ts';
import { tempDir } from '../support/temp-dir.ts';

const KEYS = 200;
const HOT_KEYS = 16;

const victimDir = process.argv[2];
if (victimDir === undefined) defineTests();
else await beVictim(victimDir);

/** Keys are those of the numbers in turn, so the log need not be written; the manifest is, step by step, as a line each. */
function harnessOf(dir: string): KeyIndexHarness {
  const path = join(dir, 'manifest');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  let generations: Generation[] = [];
  for (const line of lines) {
    const { add, remove } = JSON.parse(line) as Step;
    const removed = new Set(remove.map(({ name }) => name));
    generations = [...generations.filter(({ name }) => !removed.has(name)), ...add];
  }
  const log = Array.from({ length: KEYS }, (_, i) => ({
    key: keyOf(i),
    position: i + 1,
    content: { high: i, low: ~i },
    windowClass: 0,
  }));
  return new KeyIndexHarness({ dir: join(dir, 'keys'), hotKeys: HOT_KEYS, mergeFanIn: 3, generations, log });
}

async function beVictim(dir: string): Promise<void> {
  await using harness = harnessOf(dir);
  for (;;) {
    await harness.index.settled();
    const step = harness.index.readyStep();
    if (step === undefined) break;
    appendFileSync(join(dir, 'manifest'), `${JSON.stringify(step)}\n`);
    harness.index.adopt(step);
  }
}

function runVictim(dir: string, failpoint?: string) {
  return spawnSync(process.execPath, [fileURLToPath(import.meta.url), dir], {
    env: { ...process.env, SEKALI_FAILPOINT: failpoint },
    encoding: 'utf8',
  });
}

async function checkAll(dir: string): Promise<string[]> {
  await using harness = harnessOf(dir);
  for (let i = 0; i < KEYS; i++) {
    assert.equal(harness.find(keyOf(i))?.position, i + 1);
    assert.equal(harness.find(keyOf(KEYS + i)), undefined);
  }
  const names = harness.manifest.map(({ name }) => name);
  await harness.index.close();
  return names.sort();
}

function defineTests(): void {
  for (const point of BACKGROUND_FAILPOINTS) {
    test(`killed at ${point}, nothing is forgotten and nothing left over`, async (t) => {
      const dir = tempDir(t);
      if (point.startsWith('rebuild.')) {
        runVictim(dir);
        for (const name of readdirSync(join(dir, 'keys'))) rmSync(join(dir, 'keys', name));
      }
      for (const time of [1, 2]) {
        const { signal, stderr } = runVictim(dir, `${point}:${time}`);
        assert.equal(signal, 'SIGKILL', stderr);
        const names = await checkAll(dir);
        const isNamed = (name: string) => names.includes(name) || name.startsWith('rebuild-');
        assert.ok(readdirSync(join(dir, 'keys')).every(isNamed));
      }
      const { status, stderr } = runVictim(dir);
      assert.equal(status, 0, stderr);
      assert.deepEqual(await checkAll(dir), readdirSync(join(dir, 'keys')).sort());
    });
  }
}
