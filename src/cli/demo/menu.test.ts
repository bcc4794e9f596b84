import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { readChoice, runMenu } from './menu.ts';

describe('a line of the menu', () => {
  test('is a number, all or quit', () => {
    assert.deepEqual(readChoice(' 3 ', 7), [2]);
    assert.deepEqual(readChoice('all', 3), [0, 1, 2]);
    assert.deepEqual(readChoice('A', 3), [0, 1, 2]);
    assert.equal(readChoice('Quit', 3), 'quit');
    assert.equal(readChoice('q', 3), 'quit');
    assert.deepEqual(readChoice('', 3), []);
  });

  test('is refused when it is none of these', () => {
    for (const line of ['0', '8', '-1', '1.0', 'one', '1 2'])
      assert.equal(readChoice(line, 7), undefined, line);
  });
});

/** @returns the indexes chosen, and what was printed */
async function play(typed: string): Promise<{ chosen: number[]; printed: string }> {
  const input = new PassThrough();
  let printed = '';
  const output = new Writable({
    write(chunk, _encoding, done) {
      printed += String(chunk);
      done();
    },
  });
  const chosen: number[] = [];
  input.end(typed);
  await runMenu({
    titles: ['First', 'Second'],
    onChoice: async (index) => {
      chosen.push(index);
    },
    onInterrupt: () => assert.fail('nobody interrupts'),
    input,
    output,
    signal: new AbortController().signal,
  });
  return { chosen, printed };
}

describe('the menu', () => {
  test('shows the titles with their numbers and carries out what is chosen until quit', async () => {
    const { chosen, printed } = await play('2\nall\nquit\n1\n');
    assert.deepEqual(chosen, [1, 0, 1]);
    assert.match(printed, / {2}1 {2}First\n {2}2 {2}Second\n/);
  });

  test('says so when a line means nothing, and goes on', async () => {
    const { chosen, printed } = await play('9\n1\nq\n');
    assert.deepEqual(chosen, [0]);
    assert.match(printed, /"9" is none of them/);
  });

  test('ends with its input', async () => {
    assert.deepEqual((await play('1\n')).chosen, [0]);
  });
});
