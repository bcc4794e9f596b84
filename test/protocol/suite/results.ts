import assert from 'node:assert/strict';
import type { EventAnswer, PublishAnswer, WireReceipt } from '../../../src/protocol/wire.ts';
import { addressOf, type ProtocolCase } from './case.ts';

export const resultCases: readonly ProtocolCase[] = [
  {
    name: 'results=all has a receipt for each event, in the order of the request, whatever became of it',
    async run(server) {
      await server.publish(server.event({ event_id: 'old' }));
      const batch = [
        server.event({ event_id: 'old', payload: { other: true } }),
        'no event',
        server.event({ event_id: 'new' }),
        server.event({ event_id: 'old' }),
        { ...server.event({ event_id: 'bad' }), timestamp: 'never' },
        server.event({ event_id: 'new' }),
      ];
      const answer = await server.publishBody(JSON.stringify(batch), { query: { results: 'all' } });
      const { results } = answer.json<PublishAnswer & { results: WireReceipt[] }>();
      assert.deepEqual(
        results.map(({ index, verdict, event_id }) => [index, verdict, event_id]),
        [
          [0, 'conflict', 'old'],
          [1, 'rejected', null],
          [2, 'stored', 'new'],
          [3, 'duplicate', 'old'],
          [4, 'rejected', 'bad'],
          [5, 'duplicate', 'new'],
        ],
      );
      assert.deepEqual(
        results.map(({ position }) => position !== null),
        [true, false, true, true, false, true],
      );
    },
  },
  {
    name: 'the receipt of a duplicate and of a conflict tells position and time of the first event',
    async run(server) {
      const [first] = (await server.publish(server.event())).results;
      const again = await server.publish(server.event(), server.event({ payload: {} }));
      for (const receipt of again.results) {
        assert.equal(receipt.position, first?.position);
        assert.equal(receipt.first_seen_at, first?.first_seen_at);
      }
      const stored = await server.read<EventAnswer>(addressOf(server.event()));
      assert.equal(stored.processed_at, first?.first_seen_at);
      assert.equal(stored.position, first?.position);
    },
  },
  {
    name: 'without results=all an answer has no receipts',
    async run(server) {
      for (const query of [{}, { results: 'errors' }]) {
        const answer = await server.publishBody(JSON.stringify(server.event()), { query });
        assert.equal('results' in answer.json(), false);
      }
    },
  },
  {
    name: 'positions rise in the order of the batch, and a duplicate has that of the first',
    async run(server) {
      const [a, b, c] = server.events(3);
      const first = await server.publish(a!, b!, a!, c!);
      const [at, next, again, last] = first.results.map((receipt) => receipt.position!);
      assert.equal(again, at);
      assert.ok(at! < next! && next! < last!);
      assert.deepEqual(
        (await server.page()).events.map(({ position }) => position),
        [at, next, last],
      );
    },
  },
];
