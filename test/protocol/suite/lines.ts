import assert from 'node:assert/strict';
import type { WireStoredEvent } from '../../../src/protocol/wire.ts';
import type { Answer } from '../../support/http.ts';
import { type ProtocolCase, type Query, queryText, type Target } from './case.ts';

async function readLines(
  server: Target,
  query: Query = {},
  accept = 'application/x-ndjson',
): Promise<Answer> {
  const answer = await server.send(`/events${queryText({ topic: server.topic(), ...query })}`, {
    headers: { accept },
  });
  assert.equal(answer.status, 200, answer.text);
  return answer;
}

function idsOf(answer: Answer): string[] {
  assert.equal(answer.headers['content-type'], 'application/x-ndjson');
  return answer.text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as WireStoredEvent).event_id);
}

export const lineCases: readonly ProtocolCase[] = [
  {
    name: 'Accept: application/x-ndjson answers with a line an event, without a limit',
    async run(server) {
      const events = server.events(2500);
      await server.publish(...events);
      assert.deepEqual(
        idsOf(await readLines(server)),
        events.map((event) => event.event_id),
      );
      assert.deepEqual(
        idsOf(await readLines(server, { order: 'desc' })),
        events.map((event) => event.event_id).toReversed(),
      );
      assert.equal(idsOf(await readLines(server, { limit: 1500 })).length, 1500);
      assert.equal(idsOf(await readLines(server, { offset: 1400, source: 'shop' })).length, 1100);
    },
  },
  {
    name: 'a line has the same members as an event of a page',
    async run(server) {
      await server.publish(server.event({ sequence: 3 }));
      const { events } = await server.page();
      assert.deepEqual(JSON.parse((await readLines(server)).text), events[0]);
    },
  },
  {
    name: 'filters and cursors hold for lines as for pages',
    async run(server) {
      const { results } = await server.publish(...server.events(5));
      const after = results[1]!.position!;
      const before = results[4]!.position!;
      assert.deepEqual(idsOf(await readLines(server, { after, before })), ['e2', 'e3']);
      assert.deepEqual(idsOf(await readLines(server, { after, before, order: 'desc' })), ['e3', 'e2']);
      assert.deepEqual(idsOf(await readLines(server, { source: 'none' })), []);
      assert.equal((await readLines(server, { topic: server.topic('none') })).text, '');
    },
  },
  {
    name: 'lines come when they are asked for, whatever else is accepted, and JSON otherwise',
    async run(server) {
      await server.publish(server.event());
      for (const accept of [
        'application/x-ndjson; q=0.9',
        'APPLICATION/X-NDJSON',
        'text/html, application/x-ndjson',
        'application/x-ndjson,*/*',
      ]) {
        assert.deepEqual(idsOf(await readLines(server, {}, accept)), ['order-1'], accept);
      }
      for (const accept of ['*/*', 'application/json', 'text/html', 'application/*', '']) {
        const answer = await readLines(server, {}, accept);
        assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
        assert.equal(answer.json()['count'], 1, accept);
      }
      assert.match((await readLines(server)).headers['vary'] ?? '', /accept/i);
    },
  },
];
