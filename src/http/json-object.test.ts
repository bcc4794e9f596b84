import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { SekaliError } from '../errors.ts';
import { parseObject } from './json-object.ts';

function codeOf(text: string): string {
  try {
    parseObject(Buffer.from(text));
    return 'none';
  } catch (error) {
    assert.ok(error instanceof SekaliError);
    return error.code;
  }
}

describe('a JSON object', () => {
  it('has the members that JSON.parse finds', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), fc.nat(2), (members, space) => {
        const text = JSON.stringify(members, undefined, space);
        assert.deepEqual(parseObject(Buffer.from(text)), JSON.parse(text));
      }),
    );
  });

  it('is refused wherever JSON.parse refuses it, and never by another failure', () => {
    const texts = fc.stringMatching(/^[{}[\]",:0-9a-z\\ -]{0,30}$/);
    fc.assert(
      fc.property(texts, (text) => {
        let parses = true;
        try {
          JSON.parse(text);
        } catch {
          parses = false;
        }
        // One that is too deep, or gives a member twice, is refused before the place where it breaks.
        assert.notEqual(codeOf(text), parses ? 'json_invalid' : 'none', text);
      }),
      { numRuns: 2000 },
    );
  });

  it('has each member once, however it is spelled', () => {
    assert.equal(codeOf('{"a":1,"b":2}'), 'none');
    assert.equal(codeOf('{"a":1,"\\u0061":2}'), 'subscription_invalid');
    assert.equal(codeOf('{"__proto__":1,"__proto__":2}'), 'subscription_invalid');
  });
});
