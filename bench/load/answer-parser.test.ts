import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerParser } from './answer-parser.ts';

const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX: y\r\n\r\n{"count":1}');

test('an answer is read whole, however it is cut', () => {
  const parser = new AnswerParser();
  for (let cut = 0; cut <= answer.length; cut++) {
    const pieces = [answer.subarray(0, cut), answer.subarray(cut)].filter((piece) => piece.length > 0);
    const read = pieces.map((piece) => parser.push(piece));
    assert.equal(read.at(-1)?.status, 200);
    assert.equal(read.at(-1)?.body.toString(), '{"count":1}');
    assert.ok(read.slice(0, -1).every((early) => early === undefined));
  }
});

test('an answer can be read byte by byte, and another one after it', () => {
  const parser = new AnswerParser();
  for (let turn = 0; turn < 2; turn++) {
    const read = [...answer].map((byte) => parser.push(Buffer.from([byte])));
    assert.equal(read.filter((one) => one !== undefined).length, 1);
    assert.equal(read.at(-1)?.body.toString(), '{"count":1}');
  }
});

test('an answer that it cannot read is an error, not a guess', () => {
  const chunked = Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  assert.throws(() => new AnswerParser().push(chunked), /cannot read/);
  assert.throws(() => new AnswerParser().push(Buffer.concat([answer, answer])), /more than its answer/);
});
