import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransferEvent } from './records.ts';
import { type Line, splitLines } from './split-lines.ts';
import { TransferWriter } from './transfer-writer.ts';

const EVENT: TransferEvent = {
  position: 7,
  topic: 't',
  event_id: 'é',
  timestamp: 0,
  source: 's',
  payload: '{}',
  processed_at: 0,
  sequence: undefined,
  keyLife: 'for ever',
};

const text = (length: number) => JSON.stringify({ é: 'x'.repeat(length) });

/** What is written of these payloads, with a drain behind each. */
async function written(payloads: readonly string[]): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  const writer = new TransferWriter(async (chunk) => void chunks.push(chunk));
  for (const payload of payloads) {
    writer.event({ ...EVENT, payload });
    await writer.drain();
  }
  await writer.end();
  assert.equal(
    writer.bytes,
    chunks.reduce((sum, { length }) => sum + length, 0),
  );
  return chunks;
}

test('lines of all lengths come in their order, and none is joined to a text of half a gigabyte', async () => {
  const payloads = [text(1), text(300_000), text(2), text(3), text(1_000_000), text(700_000)];
  const chunks = await written(payloads);
  const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -2);
  assert.deepEqual(
    lines.map((line) => JSON.stringify((JSON.parse(line) as { payload: unknown }).payload)),
    payloads,
  );
  assert.ok(chunks.length >= payloads.length);
});

test('an event that is longer than a text can be is refused by its position', async () => {
  const writer = new TransferWriter(async () => {});
  const huge = {
    ...EVENT,
    get payload() {
      return '\n'.repeat(2 ** 29);
    },
  };
  assert.throws(() => writer.event(huge), {
    code: 'event_too_large',
    message: 'the event at position 7 is too long for a line of an export: Invalid string length',
  });
});

test('a line is as long as any that is written, and no longer', async () => {
  const MIB = Buffer.alloc(2 ** 20, 0x20);
  async function* blanks(count: number) {
    for (let n = 0; n < count; n++) yield MIB;
    yield Buffer.from('\n');
  }
  const lines: Line[] = [];
  for await (const some of splitLines(blanks(512))) lines.push(...some);
  assert.deepEqual(
    lines.map(({ bytes, isWhole }) => [bytes.length, isWhole]),
    [[2 ** 29, true]],
  );
  await assert.rejects(async () => {
    for await (const some of splitLines(blanks(514))) assert.equal(some.length, 0);
  });
});
