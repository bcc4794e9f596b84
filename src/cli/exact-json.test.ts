import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseExact } from './exact-json.ts';

describe('JSON that is printed again', () => {
  test('keeps numbers that a double does not give back', () => {
    for (const number of ['12345678901234567890', '1.0', '1e400', '-0', '0.10', '1E5', '3.14', '-12']) {
      assert.equal(
        JSON.stringify(parseExact(`{"n":${number},"in":[${number}]}`)),
        `{"n":${number},"in":[${number}]}`,
      );
    }
  });

  test('gives plain numbers as numbers', () => {
    assert.deepEqual(parseExact('{"position":42,"share":0.5}'), { position: 42, share: 0.5 });
  });

  test('keeps a member named __proto__', () => {
    assert.equal(JSON.stringify(parseExact('{"a":{"__proto__":1.0}}')), '{"a":{"__proto__":1.0}}');
  });

  test('throws on what is no JSON', () => {
    assert.throws(() => parseExact('{"a":'), SyntaxError);
  });
});
