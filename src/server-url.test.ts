import assert from 'node:assert/strict';
import { it } from 'node:test';
import { postgresUrl, redisUrl, shownUrl } from './server-url.ts';

it('the address of a database is one of PostgreSQL, and may name a driver, which is cut off', () => {
  for (const [given, value] of [
    ['postgres://localhost/sekali', 'postgres://localhost/sekali'],
    ['postgresql://u:p@[::1]:5433/d?sslmode=require', 'postgresql://u:p@[::1]:5433/d?sslmode=require'],
    ['postgresql+asyncpg://u:p@db/d', 'postgresql://u:p@db/d'],
    ['POSTGRES+psycopg2://db/d', 'POSTGRES://db/d'],
    ['postgresql:///d?host=/run/postgresql', 'postgresql:///d?host=/run/postgresql'],
  ]) {
    assert.deepEqual(postgresUrl.read(given ?? ''), { value });
  }
  for (const wrong of ['', 'localhost', 'db:5432', 'mysql://db/d', 'sqlite:///d', 'redis://db', 'postgres']) {
    assert.ok('rule' in postgresUrl.read(wrong), wrong);
  }
});

it('the address of a queue server is one of Redis', () => {
  for (const value of ['redis://localhost', 'rediss://u:p@queue:6380/1'])
    assert.deepEqual(redisUrl.read(value), { value });
  for (const wrong of ['', 'localhost:6379', 'http://localhost', 'redis+unix:///run/redis'])
    assert.ok('rule' in redisUrl.read(wrong), wrong);
});

it('an address is shown without what is secret in it', () => {
  assert.equal(shownUrl('postgresql://me:sesame@db:5433/d?password=sesame'), 'postgresql://db:5433/d');
  assert.equal(shownUrl('redis://:sesame@queue'), 'redis://queue');
});
