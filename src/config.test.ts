import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { tempDir } from '../test/support/temp-dir.ts';
import { type Config, isLoopback, loadConfig } from './config.ts';
import { SekaliError } from './errors.ts';
import { OLDER_SERVER_ENV, SERVER_SETTINGS } from './server-settings.ts';

type Env = Record<string, string>;

function load(env: Env = {}, flags: Record<string, string | true> = {}): Config {
  return loadConfig({ env, flags: new Map(Object.entries(flags)) });
}

function problemsOf(env: Env = {}, flags: Record<string, string | true> = {}): unknown {
  try {
    load(env, flags);
  } catch (error) {
    assert.ok(error instanceof SekaliError && error.code === 'config_invalid', String(error));
    assert.equal(error.message, (error.members['problems'] as string[]).join('\n'));
    return error.members['problems'];
  }
  return [];
}

function fileWith(t: TestContext, text: string): string {
  const file = join(tempDir(t), 'given');
  writeFileSync(file, text);
  return file;
}

describe('the configuration', () => {
  it('is, by default, a server for this machine alone', () => {
    const config = load();
    assert.deepEqual(
      [config.host, config.port, config.data, config.apiKey, config.allowAnonymous, config.corsOrigins],
      ['127.0.0.1', 8080, './data', undefined, false, []],
    );
    assert.deepEqual(config.warnings, []);
    assert.ok(Object.isFrozen(config));
  });

  it('comes from flags, environment and file, in this order', (t) => {
    const file = fileWith(t, '{"port": 1, "host": "localhost", "events_max": 7}');
    const config = load({ SEKALI_CONFIG: file, SEKALI_PORT: '2', SEKALI_HOST: '::1' }, { port: '3' });
    assert.deepEqual([config.port, config.host, config.eventsMax], [3, '::1', 7]);
  });

  it('reads the file that a flag names before the one of the environment', (t) => {
    const [one, other] = [fileWith(t, '{"port":1}'), fileWith(t, '{"port":2}')];
    assert.equal(load({ SEKALI_CONFIG: one }, { config: other }).port, 2);
  });

  it('has every default within its own bounds', () => {
    for (const [name, { kind, fallback }] of Object.entries(SERVER_SETTINGS)) {
      if (fallback === undefined) continue;
      const isList = typeof fallback === 'object';
      if (isList) assert.equal(fallback.length, 0, name);
      assert.ok('value' in kind.read(isList ? '' : String(fallback)), name);
    }
  });

  it('is refused with every problem at once', () => {
    assert.deepEqual(problemsOf({ SEKALI_PORT: 'x', SEKALI_EVENTS_MAX: '0' }, { hosts: 'a' }), [
      '--hosts is no flag; did you mean "host"?',
      'SEKALI_PORT must be an integer from 0 to 65535, not "x"',
      'SEKALI_EVENTS_MAX must be an integer from 1 to 1000000, not "0"',
    ]);
  });

  it('is refused when sizes contradict each other', () => {
    assert.deepEqual(problemsOf({ SEKALI_EVENT_BYTES_MAX: '17MiB' }), [
      'event-bytes-max must not be above body-bytes-max',
    ]);
    assert.deepEqual(problemsOf({ SEKALI_QUEUE_BYTES_MAX: '31MiB' }), [
      'queue-bytes-max must be at least twice body-bytes-max',
    ]);
    assert.deepEqual(problemsOf({ SEKALI_QUEUE_BYTES_MAX: '32MiB', SEKALI_EVENT_BYTES_MAX: '16MiB' }), []);
  });

  it('is refused when a variable with its prefix is none of its settings', () => {
    assert.deepEqual(problemsOf({ SEKALI_PROT: '80' }), [
      'SEKALI_PROT is no setting; did you mean "SEKALI_PORT"?',
    ]);
  });

  it('ignores what Kubernetes sets for a service named sekali', () => {
    const links = {
      SEKALI_PORT: 'tcp://10.0.0.1:8080',
      SEKALI_SERVICE_HOST: '10.0.0.1',
      SEKALI_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
    };
    assert.equal(load(links).port, 8080);
  });
});

describe('a configuration file', () => {
  const refused: Record<string, RegExp> = {
    '[1]': /must hold a JSON object/,
    null: /must hold a JSON object/,
    '{"port": 1': /could not be read/,
    '{"ports": 1}': /ports is no setting; did you mean "port"\?/,
    '{"port": "http"}': /: port must be an integer from 0 to 65535, not "http"/,
    '{"data": {"a": 1}}': /: data must be a text, a number, true, false or a list of texts/,
    '{"config": "other.json"}': /config cannot name a further file/,
  };
  for (const [text, problem] of Object.entries(refused)) {
    it(`that holds ${text} is refused by name`, (t) => {
      const file = fileWith(t, text);
      const [first, ...others] = problemsOf({}, { config: file }) as string[];
      assert.match(first ?? '', problem);
      assert.ok(first?.startsWith(file));
      assert.deepEqual(others, []);
    });
  }

  it('may give a list as an array, and null for what it does not give', (t) => {
    const text = '{"cors_origins": ["https://a.example", "https://b.example"], "api_key": null}';
    const config = load({}, { config: fileWith(t, text) });
    assert.deepEqual(config.corsOrigins, ['https://a.example', 'https://b.example']);
    assert.equal(config.apiKey, undefined);
  });

  it('that is not there is refused by name', (t) => {
    const file = join(tempDir(t), 'missing.json');
    assert.match(String(problemsOf({}, { config: file })), /missing\.json could not be read: ENOENT/);
  });
});

describe('rules by topic', () => {
  it('are none by default', () => {
    const { retention, dedupWindow } = load();
    assert.deepEqual([retention, dedupWindow], [[], []]);
  });

  it('come from a text, or from an object in the file', (t) => {
    const config = fileWith(
      t,
      '{"retention": {"debug.*": {"age": "1d"}}, "dedup_window": {"orders": "24h"}}',
    );
    const given = load({ SEKALI_RETENTION: 'debug.*:age=1d' }, { 'dedup-window': 'orders:24h' });
    assert.deepEqual(given.retention, load({}, { config }).retention);
    assert.deepEqual(given.dedupWindow, load({}, { config }).dedupWindow);
    assert.deepEqual(given.warnings, []);
    assert.deepEqual(load({}, { config, retention: '' }).retention, []);
  });

  it('are refused with every problem, each with its place and topic', (t) => {
    const config = fileWith(t, '{"retention": {"a": {"count": 0}, "b": {"ages": "1d"}}}');
    assert.deepEqual(problemsOf({ SEKALI_DEDUP_WINDOW: 'c:soon;d' }, { config }), [
      `${config}: retention: "a": count must be an integer from 1 to 9007199254740991, not 0`,
      `${config}: retention: "b": "ages" is no limit; did you mean "age"?`,
      'SEKALI_DEDUP_WINDOW: "c": the window must be a duration from 1s to 36500d, as 30s, 15m, 12h, 7d or 52w, not "soon"',
      'SEKALI_DEDUP_WINDOW: "d" must be TOPIC:WINDOW, as orders:24h',
    ]);
  });

  it('that mean more than they seem to are told at start', () => {
    assert.match(String(load({ SEKALI_DEDUP_WINDOW: '*:1h' }).warnings), /^dedup-window: \* lets go of keys/);
    const small = { SEKALI_RETENTION: 'a:bytes=1MiB', SEKALI_EVENT_BYTES_MAX: '2MiB' };
    assert.match(String(load(small).warnings), /^retention: a keeps fewer bytes than one event may have/);
  });
});

describe('the API key', () => {
  it('is given as it is, or in a file, whose white space does not count', (t) => {
    assert.equal(load({ SEKALI_API_KEY: 's3cret' }).apiKey, 's3cret');
    assert.equal(load({ SEKALI_API_KEY_FILE: fileWith(t, ' s3cret\n') }).apiKey, 's3cret');
  });

  it('is not given twice, nor empty, nor in a file that is not there', (t) => {
    const file = fileWith(t, 's3cret');
    assert.deepEqual(problemsOf({ SEKALI_API_KEY: 'a', SEKALI_API_KEY_FILE: file }), [
      'give the API key or a file with it, not both',
    ]);
    const empty = fileWith(t, '\n');
    assert.deepEqual(problemsOf({ SEKALI_API_KEY_FILE: empty }), [
      `${empty} must hold the API key, and is empty`,
    ]);
    assert.match(String(problemsOf({ SEKALI_API_KEY_FILE: `${file}-not` })), /could not be read: ENOENT/);
  });

  it('must be what a header can carry, and is never shown', () => {
    for (const key of ['two words', 'schlüssel', 'a\tb', 'a\nb']) {
      const problems = problemsOf({ SEKALI_API_KEY: key });
      assert.deepEqual(problems, ['the API key must be visible ASCII characters without a space']);
    }
  });

  it('is what it takes to listen on any address but a loopback one, unless everybody is welcome', () => {
    assert.match(String(problemsOf({ SEKALI_HOST: '0.0.0.0' })), /listening on 0\.0\.0\.0 needs an API key/);
    assert.equal(load({ SEKALI_HOST: '0.0.0.0', SEKALI_API_KEY: 'k' }).host, '0.0.0.0');
    assert.equal(load({ SEKALI_HOST: '0.0.0.0', SEKALI_ALLOW_ANONYMOUS: '1' }).host, '0.0.0.0');
    assert.equal(load({}, { host: '0.0.0.0', 'allow-anonymous': true }).host, '0.0.0.0');
  });
});

describe('a database and a queue server', () => {
  const DATABASE_URL = 'postgresql+asyncpg://me:sesame@db/sekali';
  const REDIS_URL = 'redis://:sesame@queue';

  it('are none by default', () => {
    const { databaseUrl, redisUrl, skipMigrate, disableWorkers } = load();
    assert.deepEqual(
      [databaseUrl, redisUrl, skipMigrate, disableWorkers],
      [undefined, undefined, false, false],
    );
  });

  it('come under the names of older systems too, after those of its own', () => {
    const env = {
      DATABASE_URL,
      REDIS_URL,
      WORKER_COUNT: '5',
      QUEUE_KEY: 'logs:queue',
      DISABLE_WORKERS: 'true',
    };
    const { databaseUrl, redisUrl, workerCount, queueKey, disableWorkers } = load(env);
    assert.equal(databaseUrl, 'postgresql://me:sesame@db/sekali');
    assert.deepEqual([redisUrl, workerCount, queueKey, disableWorkers], [REDIS_URL, 5, 'logs:queue', true]);
    assert.equal(load({ ...env, SEKALI_WORKER_COUNT: '7' }).workerCount, 7);
    for (const [older, name] of Object.entries(OLDER_SERVER_ENV)) assert.ok(name in SERVER_SETTINGS, older);
  });

  it('are never repeated in what is said', () => {
    const given = { DATABASE_URL: 'mysql://me:sesame@db', REDIS_URL: 'http://sesame' };
    const problems = problemsOf(given);
    assert.match(String(problems), /DATABASE_URL must be the address of a PostgreSQL database/);
    assert.match(String(problems), /REDIS_URL must be the address of a Redis server/);
    assert.doesNotMatch(String(problems), /sesame/);
    assert.equal((problems as string[]).length, 2);
  });

  it('go together: no queue server without a database', () => {
    assert.match(String(problemsOf({ REDIS_URL })), /^redis-url needs database-url/);
    assert.equal(load({ REDIS_URL, USE_INMEMORY_QUEUE: '1' }).redisUrl, undefined);
    assert.equal(load({ REDIS_URL, DATABASE_URL, USE_INMEMORY_QUEUE: '1' }).redisUrl, undefined);
    assert.equal(load({ DATABASE_URL }).redisUrl, undefined);
  });

  it('bound what one transaction of the database, and one entry of the queue, can be', () => {
    const env = {
      SEKALI_EVENTS_MAX: '100001',
      SEKALI_BODY_BYTES_MAX: '257MiB',
      SEKALI_QUEUE_BYTES_MAX: '1GiB',
    };
    assert.equal(load(env).eventsMax, 100_001);
    const problems = ['events-max must not be above 100000', 'body-bytes-max must not be above 256MiB'];
    assert.deepEqual(
      problemsOf({ ...env, DATABASE_URL }),
      problems.map((each) => `${each} with database-url`),
    );
    assert.deepEqual(problemsOf({ DATABASE_URL, REDIS_URL, SEKALI_BACKLOG_BYTES_MAX: '31MiB' }), [
      'backlog-bytes-max must be at least twice body-bytes-max',
    ]);
  });

  it('have a queue key that is a part of names', () => {
    const env = { DATABASE_URL, REDIS_URL };
    for (const key of ['a b', 'é', 'a'.repeat(101), 'a/b'])
      assert.equal((problemsOf({ ...env, SEKALI_QUEUE_KEY: key }) as string[]).length, 1, key);
  });

  it('leave nothing that is given without effect in silence', () => {
    assert.deepEqual(load({ DATABASE_URL }, { data: 'd' }).warnings, [
      'data has no effect: the events are in the database that database-url names',
    ]);
    assert.deepEqual(
      load({ WORKER_COUNT: '4', SEKALI_CLAIM_MS: '5000', SEKALI_SKIP_MIGRATE: '1' }).warnings,
      [
        'skip-migrate has no effect without database-url',
        'worker-count has no effect without redis-url',
        'claim-ms has no effect without redis-url',
      ],
    );
    assert.deepEqual(
      load({ DATABASE_URL, REDIS_URL, WORKER_COUNT: '4', SEKALI_SKIP_MIGRATE: '1' }).warnings,
      [],
    );
  });
});

describe('CORS origins', () => {
  it('are origins, and nothing more', () => {
    const origins = 'https://app.example, http://localhost:5173';
    assert.deepEqual(load({ SEKALI_CORS_ORIGINS: origins }).corsOrigins, [
      'https://app.example',
      'http://localhost:5173',
    ]);
    for (const wrong of ['*', 'app.example', 'https://app.example/', 'https://app.example/path', 'null']) {
      assert.equal((problemsOf({ SEKALI_CORS_ORIGINS: wrong }) as string[]).length, 1, wrong);
    }
  });
});

it('a loopback host is known by name and address', () => {
  for (const host of ['localhost', 'LOCALHOST', 'a.localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]']) {
    assert.ok(isLoopback(host), host);
  }
  const others = [
    '',
    '0.0.0.0',
    '::',
    '10.0.0.1',
    'localhost.example',
    'notlocalhost',
    '127.0.0.1.example',
    '128.0.0.1',
  ];
  for (const host of others) assert.ok(!isLoopback(host), host);
});
