import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BarStream, ProgressBar } from './progress-bar.ts';

/** A terminal that remembers what was written, and a clock that is set by hand. */
function setUp(stream: Partial<BarStream> = { isTTY: true, columns: 80 }) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const bar = new ProgressBar({ ...stream, write: (text) => written.push(text) }, 1000, () => clock.ms);
  return { bar, clock, written };
}

describe('a progress bar', () => {
  test('draws share, count and speed on one line, over and over', () => {
    const { bar, clock, written } = setUp();
    clock.ms = 500;
    bar.update(500);
    assert.deepEqual(written, ['\r\x1b[2K███████████████░░░░░░░░░░░░░░░  50 %  500 of 1,000  1,000/s']);
  });

  test('is drawn at most every 80 ms', () => {
    const { bar, clock, written } = setUp();
    for (clock.ms = 1000; clock.ms < 1800; clock.ms++) bar.update(clock.ms / 2);
    assert.equal(written.length, 10);
  });

  test('stays on one line of a narrow terminal', () => {
    for (const columns of [1, 10, 30, 45]) {
      const { bar, written } = setUp({ isTTY: true, columns });
      bar.update(1000);
      assert.ok(written.join('').replace('\r\x1b[2K', '').length < columns);
    }
  });

  test('leaves a note standing above itself', () => {
    const { bar, written } = setUp();
    bar.note('the server is away');
    assert.equal(written[0], '\r\x1b[2Kthe server is away\n');
    assert.match(written[1] ?? '', /0 of 1,000/);
  });

  test('is not there without a terminal, but its notes are', () => {
    const { bar, written } = setUp({});
    bar.update(1000);
    bar.note('the server is away');
    bar.clear();
    assert.deepEqual(written, ['the server is away\n']);
  });
});
