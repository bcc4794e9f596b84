/** What the tests of the spool on disk do with its directory. */
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ClientError } from '../../src/client/client-error.ts';
import { type DiskSpoolOptions, diskSpool } from '../../src/client/disk-spool/disk-spool.ts';
import type { Spool } from '../../src/client/spool.ts';
import { tempDir } from './temp-dir.ts';

export const BOUNDS = { eventsMax: 500, bytesMax: 1e6 };
export const NEVER = new AbortController().signal;
export const FIRST = '0000000000000001.spool';

/** A spool that is let go of when the test ends, as in a process that goes on for longer. */
export function open(t: TestContext, dir: string, options?: DiskSpoolOptions): Spool {
  const spool = diskSpool(dir, options);
  t.after(() => spool.close());
  return spool;
}

export const textsOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `{"n":${from + i}}`);

/** Events of a thousand bytes. */
export const largeTexts = (count: number) =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ i, text: 'x'.repeat(1000) }));

/** Each text a group of its own. */
export async function appendAll(spool: Spool, texts: readonly string[]): Promise<void> {
  for (const text of texts) await spool.append(text, NEVER);
}

/** Reads to the end, without settling more than need be. */
export async function readAll(spool: Spool): Promise<{ texts: string[]; damages: ClientError[] }> {
  const texts: string[] = [];
  const damages: ClientError[] = [];
  do {
    const page = await spool.read(BOUNDS);
    texts.push(...page.texts);
    damages.push(...page.damages);
    await spool.settle([]);
  } while (!spool.isEmpty);
  return { texts, damages };
}

/** Settles a first page of this many events. */
export async function settleFirst(spool: Spool, eventsMax: number): Promise<void> {
  await spool.read({ ...BOUNDS, eventsMax });
  await spool.settle([]);
}

/** What a process that is killed now leaves behind. */
export function crashed(t: TestContext, dir: string): string {
  const copy = join(tempDir(t), 'spool');
  cpSync(dir, copy, { recursive: true, filter: (path) => !path.endsWith('/lock') });
  return copy;
}

export const segmentsOf = (dir: string) => readdirSync(dir).filter((name) => name.endsWith('.spool'));
