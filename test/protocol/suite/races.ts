import assert from 'node:assert/strict';
import type { EventAnswer, PublishAnswer, WireReceipt } from '../../../src/protocol/wire.ts';
import { requestText } from '../../support/http.ts';
import { addressOf, type ProtocolCase } from './case.ts';

export const raceCases: readonly ProtocolCase[] = [
  {
    name: 'twenty overlapping atomic batches at one time: all taken, each key stored once, the sums exact',
    async run(server) {
      const before = await server.stats();
      // Batch i has the keys 10·i to 10·i + 49: each key is in five batches, but for those at the ends.
      const events = server.events(240);
      const batches = Array.from({ length: 20 }, (_, i) => events.slice(10 * i, 10 * i + 50));
      const answers = await Promise.all(
        batches.map(
          async (batch) =>
            await server.publishBody(JSON.stringify(batch), { query: { atomic: true, results: 'all' } }),
        ),
      );
      assert.deepEqual(
        answers.map(({ status }) => status),
        batches.map(() => 200),
      );
      const receipts = answers.flatMap((answer) => answer.json<{ results: WireReceipt[] }>().results);
      const positions = Map.groupBy(receipts, ({ event_id }) => event_id);
      for (const own of positions.values()) {
        assert.equal(own.filter(({ verdict }) => verdict === 'stored').length, 1);
        assert.equal(new Set(own.map(({ position }) => position)).size, 1);
        assert.equal(new Set(own.map(({ first_seen_at }) => first_seen_at)).size, 1);
      }
      assert.deepEqual((await server.ids()).toSorted(), events.map(({ event_id }) => event_id).toSorted());
      const after = await server.stats();
      assert.equal(after.received - before.received, 1000);
      assert.equal(after.unique_processed - before.unique_processed, 240);
      assert.equal(after.duplicate_dropped - before.duplicate_dropped, 760);
    },
  },
  {
    name: 'one key with fifty contents at one time: one is stored, the others are conflicts with it',
    async run(server) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, n) => await server.publish(server.event({ payload: { n } }))),
      );
      const verdicts = answers.map((answer) => answer.results[0]!.verdict);
      assert.equal(verdicts.filter((verdict) => verdict === 'stored').length, 1);
      assert.equal(verdicts.filter((verdict) => verdict === 'conflict').length, 49);
      const stored = await server.read<EventAnswer>(addressOf(server.event()));
      assert.deepEqual(stored.payload, { n: verdicts.indexOf('stored') });
    },
  },
  {
    name: 'the answer is lost and the client tries again while the first try still runs: one event',
    async run(server) {
      for (let round = 0; round < 20; round++) {
        const event = server.event({ event_id: `lost-${round}` });
        const body = JSON.stringify(event);
        const headers = { ...server.headers, 'content-type': 'application/json' };
        const lost = await server.connect();
        lost.write(
          requestText(
            'POST /publish?ack=stored',
            { ...headers, 'content-length': String(body.length) },
            body,
          ),
        );
        const cut = lost.socket.end();
        const retries = await Promise.all([server.publishBody(body), server.publishBody(body)]);
        cut.destroy();
        const counts = retries.map((answer) => answer.json<PublishAnswer>());
        const stored = counts.reduce((sum, { processed }) => sum + (processed ?? 0), 0);
        assert.ok(stored <= 1);
        assert.deepEqual(
          counts.map(({ processed, duplicates }) => (processed ?? 0) + (duplicates ?? 0)),
          [1, 1],
        );
      }
      assert.equal((await server.page()).count, 20);
    },
  },
];
