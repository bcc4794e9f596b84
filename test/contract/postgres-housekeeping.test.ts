/** Keeping house costs nothing where there is nothing to do, and is in nobody's way when it is stopped. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, type SqlClient, type SqlQuery } from '../../src/store/postgres/connection.ts';
import { isLeftForDrop } from '../../src/store/postgres/delete-retired.ts';
import { Housekeeping } from '../../src/store/postgres/housekeeping.ts';
import { Janitor } from '../../src/store/postgres/janitor.ts';
import { listPartitions } from '../../src/store/postgres/partition-list.ts';
import { RetentionSweep } from '../../src/store/postgres/retention.ts';
import { RetiredRows } from '../../src/store/postgres/retired-rows.ts';
import type { Retention, TopicRules } from '../../src/topic-rules.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { PostgresFixture } from '../support/postgres-fixture.ts';
import { useServices } from '../support/services/services.ts';
import { TcpProxy } from '../support/services/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { appendOne } from './store/case.ts';

const services = useServices('postgres');

/** A connection that takes down what is asked through it. */
class Watched implements SqlClient {
  readonly #client: SqlClient;
  #asked: string[] = [];

  constructor(client: SqlClient) {
    this.#client = client;
  }

  query(query: SqlQuery | string) {
    this.#asked.push(typeof query === 'string' ? query : query.text);
    return this.#client.query(query);
  }

  /** What was asked since the last time. */
  take(): string[] {
    return this.#asked.splice(0);
  }

  async end(): Promise<void> {}

  on(): void {}
}

function rules(limits: Partial<Retention>): TopicRules<Retention> {
  return [
    {
      topic: '',
      isPrefix: true,
      limits: { ageS: undefined, bytes: undefined, count: undefined, ...limits },
    },
  ];
}

test(
  'without rules, and where nothing was ever retired, no partition is looked at',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres(), 10);
    await appendOne(pg.store, ...makeEvents(35));
    const client = new Watched(pg.sql);
    const retiredRows = new RetiredRows([], new RetentionSweep([]));
    assert.equal(await retiredRows.bite(client), 'done');
    const first = client.take();
    assert.equal(first.length, 3);
    assert.doesNotMatch(first.join(), /events_p|DELETE/);
    assert.equal(await retiredRows.bite(client), 'done');
    assert.deepEqual(client.take(), []);
  },
);

test('with rules, topics are looked at again when something has been stored', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  await appendOne(pg.store, ...makeEvents(5));
  const client = new Watched(pg.sql);
  const sweep = new RetentionSweep(rules({ count: 3 }));
  const retiredRows = new RetiredRows(rules({ count: 3 }), sweep);
  const bites = async () => [await sweep.bite(client), await retiredRows.bite(client)];
  while ((await bites()).includes('worked'));
  assert.equal(sweep.retired, 2);
  await bites();
  client.take();
  await bites();
  assert.doesNotMatch(client.take().join(), /topics|events/);

  const open = await pg.beginAppend(1, 'open-');
  await appendOne(pg.store, ...makeEvents(2, 'more-'));
  while ((await bites()).includes('worked'));
  assert.equal(sweep.retired, 4, 'what is counted above the horizon counts');
  await open.commit();
  await bites();
  assert.equal(sweep.retired, 5);

  await appendOne(pg.store, ...makeEvents(1, 'last-'));
  await pg.sql.query('SET statement_timeout = 100');
  const lock = await connect(pg.databaseUrl);
  await lock.query('BEGIN; LOCK TABLE sekali.topics IN ACCESS EXCLUSIVE MODE');
  await assert.rejects(bites(), /statement timeout/);
  await lock.end();
  await bites();
  assert.equal(sweep.retired, 6, 'a sweep that has failed has found nothing out');
});

test('with ages, topics are looked at again when the next event is too old', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  await appendOne(pg.store, makeEvent());
  await pg.sql.query("UPDATE sekali.events SET processed_at = processed_at - interval '8 s'");
  const client = new Watched(pg.sql);
  const sweep = new RetentionSweep(rules({ ageS: 10 }));
  let looks = 0;
  await until('it is retired', async () => {
    await sweep.bite(client);
    if (client.take().some((text) => text.includes('topics'))) looks++;
    return sweep.retired === 1;
  });
  assert.ok(looks <= 2, `${looks} looks`);
});

test(
  'a partition is left for its drop if all of its many topics have one age',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    const topics = Array.from({ length: 203 }, (_, n) => makeEvent({ topic: `topic-${n}` }));
    await appendOne(pg.store, makeEvent({ topic: 'first' }));
    await appendOne(pg.store, ...topics);
    await appendOne(pg.store, makeEvent({ topic: 'last' }));
    const [partition] = await listPartitions(pg.sql);
    const client = new Watched(pg.sql);
    const ask = async (all: TopicRules<Retention>) => [
      await isLeftForDrop(client, partition!, all),
      client.take().filter((text) => text.includes('RECURSIVE')).length,
    ];
    const byAge = rules({ ageS: 1000 });
    const limits = { ageS: 1000, bytes: undefined, count: 1 };
    const except = (topic: string) => [{ topic, isPrefix: false, limits }, ...byAge];
    assert.deepEqual(await ask(byAge), [true, 3]);
    assert.deepEqual(await ask(except('last')), [false, 3]);
    assert.deepEqual(await ask(except('first')), [false, 1]);
    assert.deepEqual(await ask(rules({ count: 1 })), [false, 0]);
    assert.deepEqual(await ask([]), [false, 0]);
  },
);

test('it stops at once behind a network that passes nothing', services.options, async () => {
  const databaseUrl = await services.postgres();
  await using pg = await PostgresFixture.open(databaseUrl);
  await appendOne(pg.store, ...makeEvents(10));
  await using proxy = await TcpProxy.to(Number(new URL(databaseUrl).port || 5432));
  const make = () => {
    const seen = { begun: 0, ended: 0 };
    const reasons: string[] = [];
    const work = new Housekeeping({
      databaseUrl: proxy.url(databaseUrl),
      onFailure: (reason) => reasons.push(reason),
    });
    const janitor = new Janitor({
      bite: () => {
        seen.begun++;
        return work.bite().finally(() => seen.ended++);
      },
      onFailure: (reason) => work.onFailure(reason),
      close: () => work.close(),
    });
    janitor.start();
    return { janitor, reasons, seen };
  };
  const connected = make();
  await until('it works', async () => connected.seen.ended > 0);
  proxy.freeze();
  const connecting = make();
  await until('both wait for the network', async () =>
    [connected, connecting].every(({ seen }) => seen.begun > seen.ended),
  );

  for (const { janitor, reasons } of [connected, connecting]) {
    const startedAt = performance.now();
    await janitor.stop();
    assert.ok(performance.now() - startedAt < 3000);
    assert.deepEqual(reasons, []);
  }
});

test('a server that does not answer is waited for once, not by every chore', services.options, async () => {
  const databaseUrl = await services.postgres();
  await using pg = await PostgresFixture.open(databaseUrl);
  const silent = new Error('Query read timeout');
  const asked: string[] = [];
  const work = new Housekeeping({ databaseUrl: pg.databaseUrl, onFailure: () => {} });
  assert.equal(await work.bite(), 'done');
  // The driver gives a statement up after 20 s; here it does so at once.
  const { Client } = (await import('pg')).default;
  const query = Reflect.get(Client.prototype, 'query');
  Client.prototype.query = function (this: unknown, ...given: unknown[]) {
    const text = String((given[0] as { text?: string }).text ?? given[0]);
    if (text.includes('pg_try_advisory_lock')) return Reflect.apply(query, this, given);
    asked.push(text);
    return Promise.reject(silent);
  } as typeof query;
  try {
    await assert.rejects(work.bite(), silent);
  } finally {
    Client.prototype.query = query;
  }
  assert.equal(asked.length, 1);
  await work.close();
});
