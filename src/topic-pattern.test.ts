import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { checkName } from './event.ts';
import { glyphsOf, readPattern, shownPattern, splitGlyphs, textOf } from './topic-pattern.ts';

/** Characters that mean something, often. */
const unit = fc.oneof(
  fc.constantFrom(...'\\*:; ,=a'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
);
const topics = fc.string({ unit, maxLength: 12 }).filter((topic) => checkName('topic', topic) === undefined);

describe('a topic pattern', () => {
  const read: Record<string, [topic: string, isPrefix: boolean]> = {
    orders: ['orders', false],
    'debug.*': ['debug.', true],
    '*': ['', true],
    '\\*': ['*', false],
    '\\**': ['*', true],
    '\\\\*': ['\\', true],
    'a\\:b\\;c': ['a:b;c', false],
    'a:b;c': ['a:b;c', false],
    ' *': [' ', true],
    'überweisung 🚚*': ['überweisung 🚚', true],
  };
  for (const [text, [topic, isPrefix]] of Object.entries(read)) {
    it(`${text} is read`, () => assert.deepEqual(readPattern(glyphsOf(text)), { topic, isPrefix }));
  }

  const refused: Record<string, RegExp> = {
    '': /^the topic must not be empty$/,
    '  ': /must not be blank/,
    'a*b': /a \* stands at the end only/,
    '**': /a \* stands at the end only/,
    'C:\\logs': /a backslash stands only before/,
    'a\\': /a backslash stands only before/,
    'a\tb': /control characters/,
    '\ud800*': /lone surrogate/,
    ['x'.repeat(256)]: /at most 255/,
  };
  for (const [text, problem] of Object.entries(refused)) {
    it(`${JSON.stringify(text.slice(0, 10))} is refused`, () => {
      const read = readPattern(glyphsOf(text));
      assert.ok(typeof read === 'string');
      assert.match(read, problem);
    });
  }

  it('can name every topic, and every prefix, in a text with others', () => {
    fc.assert(
      fc.property(topics, fc.boolean(), (topic, isPrefix) => {
        const shown = shownPattern({ topic, isPrefix });
        const [before, rule = [], after] = splitGlyphs(glyphsOf(`a:1; ${shown} :x:y;b:2`), ';');
        assert.deepEqual(
          [before, after].map((one) => textOf(one ?? [])),
          ['a:1', 'b:2'],
        );
        const [pattern = [], limits = []] = splitGlyphs(rule, ':', 1);
        assert.deepEqual(readPattern(pattern), { topic, isPrefix });
        assert.equal(textOf(limits), 'x:y');
      }),
    );
  });

  it('is shown as it was given', () => {
    fc.assert(fc.property(fc.string({ unit }), (text) => assert.equal(textOf(glyphsOf(text)), text)));
  });
});
