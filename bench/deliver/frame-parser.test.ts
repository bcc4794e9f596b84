import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkParser } from './chunk-parser.ts';
import { FrameParser } from './frame-parser.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const BODY = ['retry: 1000\nid: 0\n\n', 'id: 7\ndata: {"a":1}\n\nid: 12\ndata: {"a":2}\n\n', ':\nid: 13\n\n'];
const STREAM = Buffer.from(HEAD + BODY.map(chunk).join(''));

test('each event is found once with its position, however the stream is cut', () => {
  for (let cut = 1; cut < STREAM.length; cut++) {
    assert.deepEqual(read([STREAM.subarray(0, cut), STREAM.subarray(cut)]), ['7 {"a":1}', '12 {"a":2}']);
  }
  const bytes = [...STREAM].map((byte) => Buffer.from([byte]));
  assert.deepEqual(read(bytes), ['7 {"a":1}', '12 {"a":2}']);
});

test('a frame may be cut into chunks', () => {
  const stream = HEAD + [...BODY.join('')].map(chunk).join('');
  assert.deepEqual(read([Buffer.from(stream)]), ['7 {"a":1}', '12 {"a":2}']);
});

test('a notice, an end and another answer are errors', () => {
  const lagged = HEAD + chunk('event: lagged\nid: 3\ndata: {"after":3}\n\n');
  assert.throws(() => read([Buffer.from(lagged)]), /lagged/);
  assert.throws(() => read([Buffer.from(`${HEAD}0\r\n\r\n`)]), /ended the stream/);
  assert.throws(() => read([Buffer.from(HEAD.replace('200', '503'))]), /not a stream/);
  assert.throws(() => read([Buffer.from(`${HEAD}1\r\nab\r\n`)]), /longer than it said/);
});

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

function read(pieces: readonly Buffer[]): string[] {
  const found: string[] = [];
  const frames = new FrameParser((position, bytes, at) => {
    found.push(`${position} ${bytes.toString('latin1', at, bytes.indexOf('\n', at))}`);
  });
  const chunks = new ChunkParser((bytes, from, to) => frames.push(bytes, from, to));
  for (const piece of pieces) chunks.push(piece);
  return found;
}
