import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { readSettings } from './settings.ts';
import { orderRules, ruleFor, type TopicRule, type TopicRules } from './topic-rules.ts';
import { dedupWindowRules, retentionRules } from './topic-settings.ts';

function rule(pattern: string, limits: string | undefined = pattern): TopicRule<string> {
  const isPrefix = pattern.endsWith('*');
  return { topic: isPrefix ? pattern.slice(0, -1) : pattern, isPrefix, limits };
}

describe('the rule for a topic', () => {
  const rules = orderRules(
    ['*', 'debug.*', 'debug', 'debug.http.*', 'debug.http.slow'].map((one) => rule(one)),
  );
  const expected: Record<string, string> = {
    orders: '*',
    debug: 'debug',
    debugger: '*',
    'debug.': 'debug.*',
    'debug.sql': 'debug.*',
    'debug.http.': 'debug.http.*',
    'debug.http.slow': 'debug.http.slow',
    'debug.http.slower': 'debug.http.*',
    'DEBUG.sql': '*',
    '*': '*',
  };
  for (const [topic, pattern] of Object.entries(expected)) {
    it(`${topic} is the one of ${pattern}`, () => assert.equal(ruleFor(rules, topic), pattern));
  }

  it('is none where none matches, and where the most specific one is an exception', () => {
    assert.equal(ruleFor([], 'orders'), undefined);
    assert.equal(ruleFor(orderRules([rule('debug.*')]), 'orders'), undefined);
    const withException = orderRules([rule('*'), { topic: 'audit', isPrefix: false, limits: undefined }]);
    assert.equal(ruleFor(withException, 'audit'), undefined);
    assert.equal(ruleFor(withException, 'audits'), '*');
  });

  it('is the same in whichever order the rules were given', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 4 });
    const patterns = fc.uniqueArray(
      fc.oneof(
        letters,
        letters.map((letter) => `${letter}*`),
      ),
    );
    fc.assert(
      fc.property(patterns, letters, (given, topic) => {
        const prefixes = Array.from(
          { length: topic.length + 1 },
          (_, cut) => `${topic.slice(0, topic.length - cut)}*`,
        );
        const wanted = [topic, ...prefixes].find((pattern) => given.includes(pattern));
        assert.equal(ruleFor(orderRules(given.map((one) => rule(one))), topic), wanted);
      }),
    );
  });

  it('is found on the other side of a thread too, and nobody changes it', () => {
    assert.deepEqual(structuredClone(rules), rules);
    assert.ok(Object.isFrozen(rules));
  });
});

describe('docs/guides/retention.md', () => {
  const guide = readFileSync('docs/guides/retention.md', 'utf8');
  const blocks = (language: string) =>
    [...guide.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(
      ([, block = '']) => block,
    );
  const variables = [...guide.matchAll(/^(SEKALI_\w+)='(.*)'$/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]);
  const flags = [...guide.matchAll(/--(retention|dedup-window) '(.*?)'/g)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );
  const [retention = '', window = ''] = variables.map(([, value]) => value);

  const settings = {
    retention: { kind: retentionRules, fallback: [] as TopicRules<unknown>, form: '', meaning: '' },
    dedupWindow: { kind: dedupWindowRules, fallback: [] as TopicRules<unknown>, form: '', meaning: '' },
  };
  function read(sources: { flags?: typeof flags; env?: Record<string, string>; file?: string | undefined }) {
    const members = sources.file === undefined ? {} : (JSON.parse(sources.file) as Record<string, unknown>);
    const { values, problems } = readSettings(settings, {
      flags: new Map(sources.flags),
      env: sources.env ?? {},
      file: { name: 'file', members },
    });
    assert.deepEqual(problems, []);
    return values;
  }

  it('sets the same in its three places', () => {
    const values = read({ env: { SEKALI_RETENTION: retention, SEKALI_DEDUP_WINDOW: window } });
    assert.deepEqual(read({ flags }), values);
    assert.deepEqual(read({ file: blocks('json')[0] }), values);
    assert.deepEqual(ruleFor(values.retention, 'debug.sql'), {
      ageS: 86_400,
      bytes: 10 * 1024 ** 3,
      count: 1e6,
    });
    assert.deepEqual(ruleFor(values.retention, 'audit'), {
      ageS: 365 * 86_400,
      bytes: undefined,
      count: undefined,
    });
    assert.deepEqual(ruleFor(values.dedupWindow, 'orders'), { windowS: 86_400 });
    assert.deepEqual(ruleFor(values.dedupWindow, 'debug.sql'), { windowS: 600 });
  });

  it('makes an exception, and names odd topics in both forms', () => {
    const [exception = '', odd = ''] = variables.slice(2).map(([, value]) => value);
    const excepted = read({ env: { SEKALI_RETENTION: exception } }).retention;
    assert.equal(ruleFor(excepted, 'audit'), undefined);
    assert.deepEqual(ruleFor(excepted, 'orders'), { ageS: 30 * 86_400, bytes: undefined, count: undefined });
    const values = read({ env: { SEKALI_RETENTION: odd } });
    assert.deepEqual(
      values.retention.map(({ topic, isPrefix }) => [topic, isPrefix]),
      [
        ['a:b;c', false],
        ['*', false],
      ],
    );
    assert.deepEqual(read({ file: blocks('json')[1] }), values);
  });

  it('has the bounds that hold', () => {
    const bounds = { age: ['1s', '36500d'], bytes: ['1MiB', `${1024 ** 2}GiB`], count: ['1'] };
    for (const [limit, values] of Object.entries(bounds)) {
      for (const value of values) assert.ok('value' in retentionRules.read(`a:${limit}=${value}`), value);
    }
    for (const beyond of ['age=0s', 'age=36501d', 'bytes=1048575', `bytes=${1024 ** 2 + 1}GiB`, 'count=0']) {
      assert.ok('rule' in retentionRules.read(`a:${beyond}`), beyond);
    }
    assert.match(guide, /\| `age` \| 1s to 36500d \|(.|\n)*\| `bytes` \| 1 MiB to 1 PiB \|/);
    assert.match(guide, /A dedup window lasts 1s to 36500d\./);
  });

  it('says in one sentence what becomes of a key after its window', () => {
    assert.ok(
      guide.includes(
        '\nAfter its window a key is forgotten: the same event sent again is stored as a new one, at a new position.\n',
      ),
    );
  });
});
