/** Finding positions by time, and counting events, where PostgreSQL has no index for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { PostgresFixture } from '../support/postgres-fixture.ts';
import { useServices } from '../support/services/services.ts';
import { appendOne } from './store/case.ts';

const services = useServices('postgres');
const { options } = services;

/** Says when events were stored, in milliseconds, by position: those of an append all at the same time. */
async function storedAt(pg: PostgresFixture, ...timesMs: readonly number[]): Promise<void> {
  await pg.sql.query({
    text: `UPDATE sekali.events e SET processed_at = to_timestamp(t.ms / 1000.0)
             FROM unnest($1::bigint[]) WITH ORDINALITY AS t (ms, position) WHERE e.position = t.position`,
    values: [timesMs],
  });
}

test(
  'the last position before a time is found among many, with gaps and over partitions',
  options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres(), 100);
    for (let n = 0; n < 5; n++) await appendOne(pg.store, ...makeEvents(100, `${n}-`));
    await storedAt(pg, ...Array.from({ length: 500 }, (_, n) => 10_000 + 10 * Math.floor(n / 7)));
    // Positions that nobody stored anything at.
    await pg.sql.query('DELETE FROM sekali.events WHERE position % 5 = 0 OR position BETWEEN 195 AND 310');
    await pg.sql.query("SELECT setval('sekali.positions', 507)");
    const { rows } = await pg.sql.query(
      'SELECT position::int, (extract(epoch FROM processed_at) * 1000)::int AS ms FROM sekali.events ORDER BY position',
    );
    const events = rows as { position: number; ms: number }[];
    for (const timeMs of [0, 9999, 10_000, 10_001, 10_010, 10_270, 10_300, 10_405.5, 10_700, 10_710, 1e12]) {
      const expected = events.findLast(({ ms }) => ms < timeMs)?.position ?? 0;
      assert.equal(await pg.reader.positionBefore(timeMs), expected, `before ${timeMs}`);
    }
  },
);

test(
  'where groups overtook one another, nothing that was stored since lies at or below the position',
  options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    await appendOne(pg.store, ...makeEvents(12));
    await storedAt(pg, 1000, 2000, 4000, 4000, 5000, 3000, 3000, 6000, 7000, 8000, 7500, 9000);
    const found = await Promise.all(
      [1000, 1001, 3000, 3500, 4500, 6000, 7001, 7600, 9999].map((ms) => pg.reader.positionBefore(ms)),
    );
    assert.deepEqual(found, [0, 1, 2, 2, 4, 7, 9, 9, 12]);
  },
);

test(
  'of an empty store the position before any time is 0, and what is not settled is not looked at',
  options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    assert.equal(await pg.reader.positionBefore(Date.now()), 0);
    const open = await pg.beginAppend(3, 'open-');
    await appendOne(pg.store, makeEvent());
    const later = Date.now() + 1_000_000;
    assert.equal(await pg.reader.positionBefore(later), 0);
    await open.commit();
    assert.equal(await pg.reader.positionBefore(later), 4);
  },
);

test(
  'counting from either side gives what reading gives, also beside retired and unsettled events',
  options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres(), 20);
    const topics = ['a', 'b.x', 'b.y'];
    for (let n = 0; n < 90; n++)
      await appendOne(pg.store, makeEvent({ topic: topics[n % 3]!, event_id: `${n}` }));
    const janitor = pg.housekeeping([['a', { count: 12 }]], 20);
    await janitor.runOnce();
    assert.equal((await pg.positions({ topic: 'a' })).length, 12);
    const open = await pg.beginAppend(2, 'open-');
    // Above the horizon: committed, counted, and not shown.
    for (const topic of topics) await appendOne(pg.store, makeEvent({ topic, event_id: 'late' }));

    const same = async () => {
      const filters = [
        {},
        { topic: 'a' },
        { topic: 'none' },
        { topic: 'a\0' },
        { patterns: ['b.*'] },
        { patterns: ['a', '>'] },
        { patterns: ['\0'] },
      ];
      for (const filter of filters)
        for (const after of [undefined, 0, 1, 20, 44, 53, 54, 55, 56, 80, 89, 90, 95, 1000]) {
          const read = await pg.positions({ ...filter, after });
          const { topic, patterns } = filter as { topic?: string; patterns?: string[] };
          const label = `${JSON.stringify(filter)} after ${after}`;
          assert.equal(await pg.reader.countEvents({ topic, patterns, after }), read.length, label);
        }
    };
    await same();
    await open.commit();
    await same();
  },
);

test('events are read by position, in the order that was asked for', options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres(), 5);
  await appendOne(pg.store, ...makeEvents(20));
  const events = await pg.reader.eventsAt([17, 3, 99, 3, 8]);
  assert.deepEqual(
    events.map((event) => event?.position),
    [17, 3, undefined, 3, 8],
  );
  assert.deepEqual(await pg.reader.eventsAt([]), []);
});
