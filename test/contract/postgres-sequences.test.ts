import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeReadPool, type Read, readVia } from '../../src/store/postgres/read-pool.ts';
import { readSequences } from '../../src/store/postgres/read-sequences.ts';
import type { SequencePage } from '../../src/store/store-reader.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { PostgresFixture } from '../support/postgres-fixture.ts';
import { useServices } from '../support/services/services.ts';
import { appendOne } from './store/case.ts';

const services = useServices('postgres');

function sequencesOf({ events }: SequencePage): number[] {
  return events.map(({ sequence }) => sequence);
}

test(
  'sequences are read up to the horizon, and from there once it has moved on',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    await appendOne(pg.store, makeEvent({ sequence: 1 }));
    const open = await pg.beginAppend(3, 'open-');
    await appendOne(pg.store, makeEvent({ event_id: 'above', sequence: 2 }));
    const below = await pg.reader.sequences({ after: 0, limit: 10 });
    assert.deepEqual([sequencesOf(below), below.isAtEnd], [[1], true]);
    assert.ok(below.through < open.positions[0]!);
    await open.commit();
    const above = await pg.reader.sequences({ after: below.through, limit: 10 });
    assert.deepEqual([sequencesOf(above), above.isAtEnd], [[2], true]);
  },
);

test('positions that nobody has stored anything at do not count as looked at', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  await appendOne(pg.store, makeEvent({ sequence: 1 }));
  await (await pg.beginAppend(3, 'open-')).rollBack();
  assert.ok((await pg.reader.lastPosition()) > 1);
  assert.equal((await pg.reader.sequences({ after: 0, limit: 10 })).through, 1);
});

test('a page looks at its share of events, of a topic or of all', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  await appendOne(pg.store, ...makeEvents(25), makeEvent({ topic: 'rare', sequence: 7 }));
  const horizon = await pg.reader.lastPosition();
  const read = readVia(pg.sql);
  const pages = async (topic?: string) => {
    const seen: (readonly [through: number, sequences: number[], isAtEnd: boolean])[] = [];
    for (let after = 0; seen.at(-1)?.[2] !== true; ) {
      const page = await readSequences(read, { topic, after, limit: 10 }, horizon, 10);
      after = page.through;
      seen.push([after, sequencesOf(page), page.isAtEnd]);
    }
    return seen;
  };
  assert.deepEqual(await pages(), [
    [10, [], false],
    [20, [], false],
    [26, [7], true],
  ]);
  assert.deepEqual(await pages('rare'), [[26, [7], true]]);
});

test(
  'what is retired has no sequence any more, also while its rows are there',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    for (const topic of ['a', 'b']) {
      const events = [1, 2, 3].map((sequence) => makeEvent({ topic, event_id: `${sequence}`, sequence }));
      await appendOne(pg.store, ...events);
    }
    await pg.sql.query(`UPDATE sekali.topics SET retired_before = 3 WHERE topic = 'a'`);
    assert.deepEqual(sequencesOf(await pg.reader.sequences({ after: 0, limit: 10 })), [3, 1, 2, 3]);
    assert.deepEqual(sequencesOf(await pg.reader.sequences({ topic: 'a', after: 0, limit: 10 })), [3]);
  },
);

test(
  'the sequences of a topic that has next to nothing are found by its index',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    await appendOne(pg.store, ...makeEvents(5, 'rare-', { topic: 'rare', sequence: 1 }));
    for (let n = 0; n < 3; n++) {
      const others = makeEvents(1000, `${n}-`, { sequence: n });
      await appendOne(pg.store, ...others.map((event, i) => ({ ...event, topic: `other-${i % 3}` })));
    }
    await pg.sql.query('ANALYZE sekali.events');
    const pool = makeReadPool({ databaseUrl: pg.databaseUrl, connectionsMax: 1 });
    const plans: string[] = [];
    await pool.run(async (read) => {
      const explained: Read = async (text, values) => {
        if (text.includes('sekali.events'))
          plans.push((await read(`EXPLAIN ${text}`, values)).flat().join('\n'));
        return await read(text, values);
      };
      const page = await readSequences(explained, { topic: 'rare', after: 0, limit: 10 }, 3005);
      assert.deepEqual(sequencesOf(page), [1, 1, 1, 1, 1]);
    });
    assert.equal(plans.length, 2);
    for (const plan of plans) {
      assert.match(plan, /topic_id_position_idx/);
      assert.doesNotMatch(plan, /using events\S*_pkey/);
    }
    await pool.close();
  },
);
