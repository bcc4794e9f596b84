import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { Simulation, type SimulationOptions } from './simulation.ts';

function simulate(change: Partial<SimulationOptions> = {}): Simulation {
  return new Simulation({
    seed: 42,
    topics: ['orders', 'payments', 'logins'],
    sources: ['shop', 'till'],
    start: '2026-01-01T00:00:00Z',
    payloadBytes: 200,
    total: 5000,
    dupRate: 0.2,
    ...change,
  });
}

function bytesOf(simulation: Simulation): string {
  return Array.from(simulation.order(), (number) => JSON.stringify(simulation.event(number))).join('\n');
}

describe('a simulation', () => {
  test('sends the same bytes for the same seed, on every machine and in every version', () => {
    assert.equal(bytesOf(simulate()), bytesOf(simulate()));
    assert.equal(
      createHash('sha256').update(bytesOf(simulate())).digest('hex'),
      '6c320c28f54fdd74962759cb2258929a75f50f7e23adf9b372f2625a0ba8b6f0',
    );
  });

  test('sends other events for another seed, even one that differs above bit 32', () => {
    for (const seed of [43, 42 + 2 ** 32]) {
      assert.notDeepEqual(simulate({ seed }).event(0).payload, simulate().event(0).payload);
      assert.notEqual(simulate({ seed }).event(0).event_id, simulate().event(0).event_id);
    }
  });

  test('gives ids of their own to payloads of another size, so that two runs never conflict', () => {
    assert.notEqual(simulate({ payloadBytes: 300 }).event(7).event_id, simulate().event(7).event_id);
  });

  test('keeps its events when only the number or the share of duplicates changes', () => {
    assert.deepEqual(simulate({ total: 9, dupRate: 0.9 }).event(0), simulate().event(0));
  });

  test('makes payloads of exactly the size asked for', () => {
    for (const payloadBytes of [100, 200, 5000]) {
      const simulation = simulate({ payloadBytes, seed: Number.MAX_SAFE_INTEGER, total: 100_000_000 });
      for (const number of [0, 1, 4001, 79_999_999]) {
        assert.equal(JSON.stringify(simulation.event(number).payload).length, payloadBytes);
      }
    }
  });

  test('uses every topic and every source', () => {
    const simulation = simulate({ total: 100, dupRate: 0 });
    const events = Array.from(simulation.order(), (number) => simulation.event(number));
    assert.deepEqual(new Set(events.map(({ topic }) => topic)), new Set(['orders', 'payments', 'logins']));
    assert.deepEqual(new Set(events.map(({ source }) => source)), new Set(['shop', 'till']));
  });

  test('puts a millisecond between events', () => {
    assert.equal(simulate().event(0).timestamp, '2026-01-01T00:00:00.000000Z');
    assert.equal(simulate().event(61_001).timestamp, '2026-01-01T00:01:01.001000Z');
  });
});

describe('the order of a simulation', () => {
  for (const [total, dupRate, resent] of [
    [5000, 0.2, 1000],
    [20_000, 0.35, 7000],
    [3, 0.5, 2],
    [10, 0, 0],
    [10, 1, 9],
    [1, 1, 0],
  ] as const) {
    test(`of ${total} events with a share of ${dupRate} re-sends exactly ${resent}`, () => {
      const simulation = simulate({ total, dupRate });
      const order = [...simulation.order()];
      assert.equal(order.length, total);
      assert.equal(new Set(order).size, total - resent);
      assert.deepEqual([simulation.resent, simulation.distinct], [resent, total - resent]);
    });
  }

  test('re-sends only what was sent before, all along the way', () => {
    let fresh = 0;
    const resentAt: number[] = [];
    [...simulate().order()].forEach((number, at) => {
      assert.ok(number <= fresh, `${number} is sent before ${fresh}`);
      if (number === fresh) fresh++;
      else resentAt.push(at);
    });
    assert.ok(resentAt[0]! < 50 && resentAt.at(-1)! > 4950 && resentAt[500]! > 2000 && resentAt[500]! < 3000);
  });
});

describe('an id', () => {
  test('leads back to the number of its event', () => {
    const simulation = simulate();
    for (const number of [0, 1, 3999]) {
      assert.equal(simulation.numberOf(simulation.event(number).event_id), number);
    }
  });

  test('of no event of the simulation leads nowhere', () => {
    for (const id of [
      'order-1',
      'sim-42-200-4000',
      'sim-42-200-',
      'sim-42-200-01',
      'sim-42-200--1',
      'sim-42-200-1.0',
      'sim-43-200-1',
    ]) {
      assert.equal(simulate().numberOf(id), undefined, id);
    }
  });
});
