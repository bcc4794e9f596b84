import assert from 'node:assert/strict';
import type { ConflictsAnswer, EventAnswer } from '../../../src/protocol/wire.ts';
import { addressOf, assertProblem, type ProtocolCase } from './case.ts';

export const conflictCases: readonly ProtocolCase[] = [
  {
    name: 'a conflict is kept for inspection, with what it would have changed',
    async run(server) {
      const [first] = (await server.publish(server.event())).results;
      const other = server.event({
        timestamp: '2026-02-01T00:00:00.000000Z',
        source: 'other',
        payload: { total: 1 },
      });
      await server.publish(other);
      const { count, conflicts, next } = await server.read<ConflictsAnswer>('/conflicts', {
        topic: server.topic(),
      });
      assert.deepEqual([count, next], [1, null]);
      const { number, received_at, ...kept } = conflicts[0]!;
      assert.deepEqual(kept, { ...other, position: first?.position });
      assert.ok(number >= 1);
      assert.ok(received_at >= (first?.first_seen_at ?? ''));
      const event = await server.read<EventAnswer>(addressOf(other));
      assert.deepEqual(event.payload, { total: 129.95 });
      assert.deepEqual(event.conflicts, conflicts);
    },
  },
  {
    name: 'conflicts come newest first, page after page, of a topic or of a key',
    async run(server) {
      const [a, b] = server.events(2);
      await server.publish(a!, b!);
      for (let n = 0; n < 5; n++) {
        await server.publish({ ...a!, payload: { n } }, { ...b!, payload: { n: -n - 1 } });
      }
      const topic = server.topic();
      const all = await server.read<ConflictsAnswer>('/conflicts', { topic });
      const numbers = all.conflicts.map(({ number }) => number);
      assert.deepEqual(
        numbers,
        numbers.toSorted((x, y) => y - x),
      );
      const found: number[] = [];
      for (let page = await server.read<ConflictsAnswer>('/conflicts', { topic, limit: 3 }); ; ) {
        found.push(...page.conflicts.map(({ number }) => number));
        if (page.next === null) break;
        page = await server.read('/conflicts', { topic, limit: 3, before: page.next });
      }
      assert.deepEqual(found, numbers);
      const ofKey = await server.read<ConflictsAnswer>('/conflicts', { topic, event_id: 'e1' });
      assert.deepEqual(
        ofKey.conflicts.map(({ payload }) => payload),
        [{ n: -5 }, { n: -4 }, { n: -3 }, { n: -2 }, { n: -1 }],
      );
    },
  },
  {
    name: 'the payload of a conflict comes as it was sent, or is left out when it is large',
    async run(server) {
      const json = '{ "n" : 12345678901234567890 }';
      await server.publish(server.event());
      await server.publishBody(server.eventText(json));
      await server.publishBody(server.eventText(`{"s":"${'x'.repeat(20_000)}"}`));
      const answer = await server.send(`/conflicts?topic=${server.topic()}`);
      assert.ok(answer.text.includes(`"payload":${json}`), answer.text);
      assert.equal(answer.json<ConflictsAnswer>().conflicts[0]?.payload, null);
    },
  },
  {
    name: '422: GET /conflicts with a parameter that is not valid',
    async run(server) {
      for (const query of ['limit=0', 'limit=1001', 'before=x', 'topic=', 'event_id=', 'after=1']) {
        const problem = assertProblem(await server.send(`/conflicts?${query}`), 422, 'parameter_invalid');
        assert.equal(problem['parameter'], query.split('=')[0]);
      }
    },
  },
];
