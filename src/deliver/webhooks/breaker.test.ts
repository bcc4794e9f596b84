import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Breaker } from './breaker.ts';

const never = new AbortController().signal;

function makeBreaker(change: { firstMs?: number; maxMs?: number } = {}) {
  const opened: number[] = [];
  const breaker = new Breaker({
    failuresMax: 3,
    firstMs: 20,
    maxMs: 100,
    random: () => 1,
    onOpen: (_reason, forMs) => opened.push(forMs),
    ...change,
  });
  const fail = (times: number) => {
    for (let n = 0; n < times; n++) breaker.fail('HTTP 500');
  };
  return { breaker, opened, fail };
}

describe('a breaker', () => {
  it('is closed until so many failed one after the other', () => {
    const { breaker, fail, opened } = makeBreaker();
    fail(2);
    breaker.succeed();
    fail(2);
    assert.equal(breaker.admit(7), 7);
    fail(1);
    assert.equal(breaker.admit(7), 0);
    assert.deepEqual(opened, [20]);
    assert.equal(breaker.reason, 'HTTP 500');
  });

  it('lets one through when its time is over; a success closes it', async () => {
    const { breaker, fail } = makeBreaker();
    fail(3);
    await breaker.ready(never);
    assert.equal(breaker.admit(7), 1);
    assert.equal(breaker.admit(7), 0, 'one is on its way');
    const waiting = breaker.ready(never);
    breaker.succeed();
    await waiting;
    assert.equal(breaker.admit(7), 7);
    assert.equal(breaker.failures, 0);
  });

  it('opens for longer each time that nothing has changed, up to a bound', async () => {
    const { breaker, fail, opened } = makeBreaker();
    fail(3);
    for (let n = 0; n < 4; n++) {
      await breaker.ready(never);
      assert.equal(breaker.admit(7), 1);
      fail(1);
    }
    assert.deepEqual(opened, [20, 40, 80, 100, 100]);
    assert.equal(breaker.failures, 7);
  });

  it('is not opened anew by those who were sent before it opened', () => {
    const { fail, opened } = makeBreaker({ firstMs: 100_000, maxMs: 100_000 });
    fail(8);
    assert.equal(opened.length, 1);
  });

  it('gives the next one a chance when none was sent', async () => {
    const { breaker, fail } = makeBreaker();
    fail(3);
    await breaker.ready(never);
    breaker.admit(1);
    const next = breaker.ready(never).then(() => breaker.admit(1));
    breaker.giveBack();
    assert.equal(await next, 1);
  });

  it('is not waited for any longer by who is told to stop', async () => {
    const { breaker, fail } = makeBreaker({ firstMs: 100_000, maxMs: 100_000 });
    fail(3);
    const stop = new AbortController();
    const waiting = breaker.ready(stop.signal);
    stop.abort();
    await waiting;
  });
});
