import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { atEnd } from './at-end.ts';

/** A directory that goes when the test ends, after the servers that were started in it. */
export function tempDir(t: Pick<TestContext, 'after'>): string {
  const dir = mkdtempSync(join(tmpdir(), 'sekali-test-'));
  atEnd(t, () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
