import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Sekali, type WireEvent } from '../../client/index.ts';
import { type SendOptions, send } from './send.ts';
import { Simulation } from './simulation.ts';

const never = new AbortController().signal;

function simulate(total: number): Simulation {
  return new Simulation({
    seed: 1,
    topics: ['orders'],
    sources: ['shop'],
    start: '2026-01-01T00:00:00Z',
    payloadBytes: 100,
    total,
    dupRate: 0.2,
  });
}

/** Sends to a server that is a function: it is given the events of a request and returns the status of its answer. */
function sendTo(
  serve: (events: WireEvent[]) => Promise<number> | number,
  options: Partial<SendOptions> = {},
): ReturnType<typeof send> {
  const seen = new Set<string>();
  const client = new Sekali({
    url: 'http://server',
    retryForMs: 0,
    async fetch(_url, init) {
      const events = JSON.parse(init?.body as string) as WireEvent[];
      const status = await serve(events);
      const before = seen.size;
      for (const { event_id } of events) seen.add(event_id);
      const processed = seen.size - before;
      const told = {
        processed,
        duplicates: events.length - processed,
        conflicts: 0,
        rejected: 0,
        errors: [],
      };
      return Response.json(told, { status });
    },
  });
  return send({
    client,
    simulation: simulate(1000),
    batchSize: 30,
    concurrency: 4,
    rate: 0,
    stop: never,
    ...options,
  });
}

describe('sending', () => {
  test('sends every event of the order once, in batches, and adds up the answers', async () => {
    const simulation = simulate(1000);
    const ids: string[] = [];
    const sizes: number[] = [];
    const answered: number[] = [];
    const sent = await sendTo(
      (events) => {
        ids.push(...events.map(({ event_id }) => event_id));
        sizes.push(events.length);
        return 200;
      },
      { simulation, concurrency: 1, onAnswer: (count) => answered.push(count) },
    );
    assert.deepEqual(
      ids,
      Array.from(simulation.order(), (number) => simulation.event(number).event_id),
    );
    assert.deepEqual([sizes.length, sizes[0], sizes.at(-1)], [34, 30, 10]);
    assert.deepEqual([answered.length, answered.at(-1)], [34, 1000]);
    assert.deepEqual([sent.events, sent.distinct, sent.unanswered], [1000, 800, 0]);
    assert.deepEqual([sent.processed, sent.duplicates], [800, 200]);
  });

  test('has as many requests under way as it may, and no more', async () => {
    let underWay = 0;
    let most = 0;
    await sendTo(
      async () => {
        most = Math.max(most, ++underWay);
        await new Promise(setImmediate);
        underWay--;
        return 200;
      },
      { concurrency: 5 },
    );
    assert.equal(most, 5);
  });

  test('when stopped finishes what is under way, and has sent the beginning of the order', async () => {
    const simulation = simulate(1000);
    const stop = new AbortController();
    const arrived: WireEvent[] = [];
    const sent = await sendTo(
      async (events) => {
        arrived.push(...events);
        if (arrived.length >= 300) stop.abort();
        await new Promise(setImmediate);
        return 200;
      },
      { simulation, stop: stop.signal },
    );
    assert.equal(sent.events, arrived.length);
    assert.ok(sent.events >= 300 && sent.events < 1000);
    assert.equal(sent.unanswered, 0);
    const beginning = [...simulation.order()].slice(0, sent.events);
    assert.equal(sent.distinct, new Set(beginning).size);
    assert.equal(sent.failure, undefined);
  });

  test('keeps to its rate, and does not wait for the next batch when it is stopped', async () => {
    const stop = new AbortController();
    // 30 events at one in a hundred seconds: the next batch would be due in 50 minutes.
    const sent = await sendTo(() => 200, { rate: 0.01, stop: stop.signal, onAnswer: () => stop.abort() });
    assert.equal(sent.events, 30);
  });

  test('ends when a request fails for good, and knows what has no answer', async () => {
    let requests = 0;
    const sent = await sendTo(() => (++requests === 3 ? 400 : 200), { concurrency: 1 });
    assert.equal(requests, 3);
    assert.deepEqual([sent.events, sent.unanswered], [90, 30]);
    assert.equal(sent.processed + sent.duplicates, 60);
    assert.match(sent.failure?.message ?? '', /400/);
  });
});
