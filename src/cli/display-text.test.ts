import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { displayWidth, printable, shorten } from './display-text.ts';

describe('a text for a terminal', () => {
  test('shows what would steer the terminal instead of sending it', () => {
    assert.equal(printable('\u001b[31m red \u009b0m'), '\\u001b[31m red \\u009b0m');
    assert.equal(printable('a\nb\u202Ec'), 'a\\u000ab\\u202ec');
    assert.equal(printable('日本 é 😀'), '日本 é 😀');
  });

  test('is as wide as the terminal draws it', () => {
    assert.equal(displayWidth('orders'), 6);
    assert.equal(displayWidth('日本'), 4);
    assert.equal(displayWidth('e\u0301'), 1);
    assert.equal(displayWidth('👩‍👩‍👧'), 2);
  });

  test('is left alone when it fits, and ends in … when it does not', () => {
    assert.equal(shorten('orders', 6), 'orders');
    assert.equal(shorten('orders', 5), 'orde…');
    assert.equal(shorten('日本', 4), '日本');
    assert.equal(shorten('日本', 3), '日…');
    assert.equal(shorten('a日本', 4), 'a日…');
    assert.equal(shorten('orders', 1), '…');
    assert.equal(shorten('orders', 0), '');
    assert.equal(shorten('', 0), '');
  });

  test('is never wider than asked for', () => {
    for (let width = 0; width < 12; width++) {
      for (const text of ['abc日本語def', '😀😀😀😀', 'plain text that is long']) {
        assert.ok(displayWidth(shorten(text, width)) <= width, `${text} in ${width}`);
      }
    }
  });
});
