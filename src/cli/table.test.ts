import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { displayWidth } from './display-text.ts';
import { type Column, layOut } from './table.ts';

interface Row {
  number: number;
  name: string;
  text: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'number', align: 'right', text: ({ number }) => String(number) },
  { title: 'name', widthMin: 4, text: ({ name }) => name },
  { title: 'text', widthMin: 6, text: ({ text }) => text },
];

const ROWS: readonly Row[] = [
  { number: 7, name: '日本', text: 'short' },
  { number: 1234567, name: 'orders', text: 'a text that goes on' },
];

describe('a table', () => {
  test('aligns its columns, numbers to the right', () => {
    assert.deepEqual(layOut(COLUMNS, ROWS, 80), [
      ' number  name    text',
      '      7  日本    short',
      '1234567  orders  a text that goes on',
    ]);
  });

  test('takes what does not fit from the widest column', () => {
    assert.deepEqual(layOut(COLUMNS, ROWS, 30), [
      ' number  name    text',
      '      7  日本    short',
      '1234567  orders  a text that …',
    ]);
  });

  test('shortens no column below its least width, and some columns never', () => {
    const lines = layOut(COLUMNS, ROWS, 10);
    assert.equal(lines[2], '1234567  ord…  a tex…');
  });

  test('fits any width down to the least', () => {
    for (let width = 21; width < 40; width++) {
      for (const line of layOut(COLUMNS, ROWS, width)) assert.ok(displayWidth(line) <= width, line);
    }
  });

  test('prints no control character of a cell', () => {
    const [, line] = layOut(COLUMNS, [{ number: 1, name: 'a\u001b[2J', text: '' }], 80);
    assert.equal(line, '     1  a\\u001b[2J');
  });

  test('without rows is its titles', () => {
    assert.deepEqual(layOut(COLUMNS, [], 80), ['number  name  text']);
  });
});
