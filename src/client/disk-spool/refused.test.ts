/** What the server refused, and what was found damaged: files that a person takes away at any time. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
} from '../../../test/support/spool-dir.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { ClientError } from '../client-error.ts';
import type { Spool } from '../spool.ts';
import { diskSpool } from './disk-spool.ts';

const eventOf = (event_id: string, text = '') => ({
  topic: 't',
  event_id,
  timestamp: '',
  source: 's',
  payload: { text },
});

type TestEvent = ReturnType<typeof eventOf>;

/** The event is all that is in the spool. */
async function refuse(spool: Spool, event: TestEvent): Promise<void> {
  await spool.append(JSON.stringify(event), NEVER);
  await spool.read(BOUNDS);
  await spool.settle([{ event, error: new ClientError('topic_invalid', 'no') }]);
  assert.ok(spool.isEmpty);
}

function lineOf(event: TestEvent): string {
  return `${JSON.stringify({ code: 'topic_invalid', detail: 'no', event })}\n`;
}

test('what is refused is kept with its reason, and counts until it is taken away', async (t) => {
  const dir = tempDir(t);
  const options = { maxBytes: 65_536 };
  const spool = diskSpool(dir, options);
  const event = eventOf('1', 'x'.repeat(60_000));
  const full = { code: 'spool_full', message: /refused\.ndjson/ };
  await refuse(spool, event);
  assert.equal(readFileSync(join(dir, 'refused.ndjson'), 'utf8'), lineOf(event));
  await assert.rejects(spool.append(JSON.stringify(event), NEVER), full);
  await spool.close();
  const next = open(t, dir, options);
  await assert.rejects(next.append(JSON.stringify(event), NEVER), full);
  rmSync(join(dir, 'refused.ndjson'));
  await next.append(JSON.stringify(event), NEVER);
});

test('what is refused after the file was taken away goes to a new one', async (t) => {
  const dir = tempDir(t);
  const spool = open(t, dir);
  await refuse(spool, eventOf('1'));
  rmSync(join(dir, 'refused.ndjson'));
  await refuse(spool, eventOf('2'));
  assert.equal(readFileSync(join(dir, 'refused.ndjson'), 'utf8'), lineOf(eventOf('2')));
});

test('a line that a crash has cut short spoils none behind it', async (t) => {
  const file = join(tempDir(t), 'refused.ndjson');
  const spool = open(t, join(file, '..'));
  await refuse(spool, eventOf('1'));
  const long = lineOf(eventOf('2', 'x'.repeat(100_000)));
  appendFileSync(file, long.slice(0, -4));
  await refuse(spool, eventOf('3'));
  appendFileSync(file, '{"mine":true}');
  await refuse(spool, eventOf('4'));
  const lines = [lineOf(eventOf('1')), lineOf(eventOf('3')), '{"mine":true}\n', lineOf(eventOf('4'))];
  assert.equal(readFileSync(file, 'utf8'), lines.join(''));
});

test('a damaged segment counts once, also when a crash has left it beside its copy', async (t) => {
  const dir = tempDir(t);
  const options = { maxBytes: 65_536, whenFull: 'fail' } as const;
  const spool = diskSpool(dir, options);
  await spool.append(JSON.stringify(eventOf('1', 'x'.repeat(20_000))), NEVER);
  await spool.close();
  const bytes = readFileSync(join(dir, FIRST));
  writeFileSync(join(dir, FIRST), bytes.fill('9', 5000, 5001));
  await open(t, dir, options).read(BOUNDS);
  const left = crashed(t, dir);
  writeFileSync(join(left, FIRST), bytes);
  const next = diskSpool(left, options);
  await readAll(next);
  const room = 40_000;
  await appendAll(next, largeTexts(Math.floor(room / 1100)));
  await next.close();
  assert.equal((await readAll(open(t, left, options))).texts.length, Math.floor(room / 1100));
});
