import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteSink } from './byte-sink.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

test('chunks are put together in order', () => {
  const sink = new ByteSink(0, 1000, () => {});
  for (const chunk of [bytes(1, 2), bytes(), bytes(3), bytes(4, 5, 6, 7)]) sink.add(chunk);
  assert.deepEqual(sink.bytes(), bytes(1, 2, 3, 4, 5, 6, 7));
});

test('what is reserved is the array that is there, which doubles up to the bound', () => {
  const reserved: number[] = [];
  const sink = new ByteSink(4, 30, (size) => reserved.push(size));
  for (let i = 0; i < 30; i++) sink.add(bytes(i));
  assert.deepEqual(reserved, [8, 16, 30]);
  assert.equal(sink.bytes().buffer.byteLength, 30);
  assert.equal(sink.bytes().length, 30);
});

test('a chunk that is refused leaves what was there', () => {
  const sink = new ByteSink(2, 4, (size) => {
    if (size > 4) throw new Error('too large');
  });
  sink.add(bytes(1, 2, 3));
  assert.throws(() => sink.add(bytes(4, 5)), /too large/);
  assert.deepEqual(sink.bytes(), bytes(1, 2, 3));
});

test('memory is freed when it is discarded, and when the array grows', () => {
  const sink = new ByteSink(2, 100, () => {});
  const first = sink.bytes().buffer;
  sink.add(bytes(1, 2, 3));
  assert.equal(first.detached, true);
  const second = sink.bytes().buffer;
  sink.discard();
  assert.equal(second.detached, true);
});
