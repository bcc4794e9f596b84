import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Line, LineReader, type LongLine } from './line-reader.ts';

const OPTIONS = { identity: '', lineBytesMax: 100 };

/** Bytes are copied: those of a line are good for one step only. */
function read(chunks: readonly (string | Buffer)[], options = OPTIONS, reader = new LineReader(options)) {
  const lines: ((Omit<Line, 'bytes'> & { text: string }) | LongLine)[] = [];
  for (const chunk of chunks) for (const line of reader.push(Buffer.from(chunk))) lines.push(copy(line));
  const last = reader.end();
  if (last) lines.push(copy(last));
  return lines;
}

function copy(line: Line | LongLine): (Omit<Line, 'bytes'> & { text: string }) | LongLine {
  if (!('bytes' in line)) return line;
  const { bytes, ...rest } = line;
  return { ...rest, text: bytes.toString('latin1') };
}

function ids(content: string | Buffer, options = OPTIONS): string[] {
  return read([content], options).map((line) => ('id' in line ? line.id : ''));
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}

test('lines have numbers, offsets and no newlines', () => {
  assert.deepEqual(
    read(['one\ntwo\r\n\nthree']).map((line) => 'text' in line && [line.number, line.offset, line.text]),
    [
      [1, 0, 'one'],
      [2, 4, 'two'],
      [3, 9, ''],
      [4, 10, 'three'],
    ],
  );
});

test("an id is the SHA-256 of the file up to its line's end, which any sha256sum can tell", () => {
  assert.deepEqual(ids('one\ntwo\r\nthree\n'), [
    sha256('one'),
    sha256('one\ntwo'),
    sha256('one\ntwo\r\nthree'),
  ]);
});

test('two equal lines of a file have two ids', () => {
  const [first, second] = ids('same\nsame\n');
  assert.notEqual(first, second);
});

test('a line that is equal and at the same offset has another id when a byte before it differs', () => {
  assert.notEqual(ids('a\nsame\n')[1], ids('b\nsame\n')[1]);
});

test('a line keeps its id when its newline is written, and when the file grows', () => {
  const [id] = ids('one\n').slice(-1);
  for (const content of ['one', 'one\r', 'one\r\n', 'one\ntwo\n']) assert.equal(ids(content)[0], id, content);
});

test('bytes that are no UTF-8 differ in their ids although their texts may be the same', () => {
  assert.notEqual(ids(Buffer.from([0xff, 0x0a]))[0], ids(Buffer.from([0xfe, 0x0a]))[0]);
});

test('an identity text gives every line another id', () => {
  const plain = ids('one\ntwo\n');
  const named = ids('one\ntwo\n', { ...OPTIONS, identity: 'host-1' });
  assert.equal(new Set([...plain, ...named]).size, 4);
});

test('the chunks that a file comes in make no difference', () => {
  const pieces = fc.array(
    fc.constantFrom('a', 'bc', '\n', '\r', '\r\n', 'é', 'x'.repeat(99), 'y'.repeat(120)),
  );
  fc.assert(
    fc.property(pieces, fc.array(fc.nat({ max: 500 })), (parts, cuts) => {
      const content = Buffer.from(parts.join(''));
      const places = [0, ...cuts.filter((cut) => cut < content.length).sort((a, b) => a - b), content.length];
      const chunks = places.slice(1).map((end, i) => content.subarray(places[i], end));
      const whole = new LineReader(OPTIONS);
      const cut = new LineReader(OPTIONS);
      assert.deepEqual(read(chunks, OPTIONS, cut), read([content], OPTIONS, whole));
      assert.deepEqual(cut.position, whole.position);
    }),
  );
});

test('a line over the limit is told with its length, and those around it are read', () => {
  const long = 'x'.repeat(101);
  const content = `one\n${long}\ntwo\n`;
  const lines = read([content]);
  assert.deepEqual(lines[1], { number: 2, offset: 4, length: 101 });
  assert.deepEqual(ids(content), [sha256('one'), '', sha256(`one\n${long}\ntwo`)]);
});

test('a long line at the end of a file is told too', () => {
  assert.deepEqual(read(['x'.repeat(60), 'x'.repeat(60)]), [{ number: 1, offset: 0, length: 120 }]);
});

test('the position is behind the last newline, whatever has come after it', () => {
  const position = { offset: 4, sha256: createHash('sha256').update('one\n').digest('hex') };
  for (const rest of ['', 'tw', 'x'.repeat(150)]) {
    const reader = new LineReader(OPTIONS);
    read(['one\n', rest], OPTIONS, reader);
    assert.deepEqual(reader.position, position, rest);
  }
});

test('reading goes on behind what was passed over, with the same numbers, offsets and ids', () => {
  const reader = new LineReader(OPTIONS);
  reader.skip(Buffer.from('one\ntw'));
  reader.skip(Buffer.from('o\n'));
  assert.deepEqual(read(['three\nfour'], OPTIONS, reader), read(['one\ntwo\nthree\nfour']).slice(2));
});
