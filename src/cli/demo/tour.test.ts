import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { DemoServer } from './demo-server.ts';
import type { Outcome, Step } from './step.ts';
import { Tour } from './tour.ts';

// The steps of these tests ask nothing of the server.
const server = { isRunning: true, url: 'http://127.0.0.1:9' } as DemoServer;

function step(run: () => Promise<Outcome>): Step {
  return { title: 'A step', story: 'What it does.', expected: { received: 1 }, run };
}

function newTour(signal = new AbortController().signal): { tour: Tour; said: string[] } {
  const said: string[] = [];
  return { tour: new Tour(server, signal, (line) => said.push(stripVTControlCharacters(line))), said };
}

describe('a tour', () => {
  test('claims nothing before the first step', () => {
    assert.equal(newTour().tour.verdict(), 'no step was taken');
  });

  test('is well when every expectation held', async () => {
    const { tour, said } = newTour();
    await tour.take(
      step(async () => ({ seen: { received: 1 }, note: 'quick' })),
      1,
    );
    assert.deepEqual(said, ['\n1. A step\n   What it does.', '   ✓ received  expected 1  saw 1', '   quick']);
    assert.equal(tour.allHeld, true);
    assert.equal(stripVTControlCharacters(tour.verdict()), '✓ all 1 expectations held');
  });

  test('is not well when one expectation did not hold, whatever comes after', async () => {
    const { tour } = newTour();
    await tour.take(
      step(async () => ({ seen: { received: 2 } })),
      1,
    );
    await tour.take(
      step(async () => ({ seen: { received: 1 } })),
      2,
    );
    assert.equal(tour.allHeld, false);
    assert.equal(stripVTControlCharacters(tour.verdict()), '✗ 1 of 2 expectations did not hold');
  });

  test('takes a step that throws for one that did not hold', async () => {
    const { tour, said } = newTour();
    await tour.take(
      step(() => Promise.reject(new Error('no answer'))),
      1,
    );
    assert.equal(said.at(-1), '   ✗ it broke off: no answer');
    assert.equal(tour.allHeld, false);
  });

  test('ends at once when it is interrupted', async () => {
    const interrupt = new AbortController();
    const { tour } = newTour(interrupt.signal);
    const reason = new Error('interrupted');
    const interrupted = step(async () => {
      interrupt.abort(reason);
      throw new Error('the request was cut off');
    });
    await assert.rejects(tour.take(interrupted, 1), reason);
  });

  test('gives every step a topic of its own, also when it is taken again', async () => {
    const topics: string[] = [];
    const { tour } = newTour();
    const noting: Step = {
      ...step(async () => ({ seen: { received: 1 } })),
      run: async (lab) => {
        topics.push(lab.topic);
        return { seen: { received: 1 } };
      },
    };
    await tour.take(noting, 1);
    await tour.take(noting, 1);
    await tour.take(noting, 2);
    assert.equal(new Set(topics).size, 3);
  });
});
