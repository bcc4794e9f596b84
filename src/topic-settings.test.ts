import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Kind } from './settings.ts';
import { ruleFor, type TopicRules } from './topic-rules.ts';
import { dedupWindowRules, retentionRules, topicWarnings } from './topic-settings.ts';

const MIB = 1024 ** 2;
const AGE = 'a duration from 1s to 36500d, as 30s, 15m, 12h, 7d or 52w';
const GIVE = 'give one or more of age=…, bytes=… and count=…, or forever';

function read<T>(kind: Kind<TopicRules<T>>, given: string | Record<string, unknown>): TopicRules<T> {
  const reading = typeof given === 'string' ? kind.read(given) : kind.readMembers?.(given);
  assert.ok(reading && 'value' in reading, JSON.stringify(reading));
  return reading.value;
}

function problemsOf(kind: Kind<unknown>, given: string | Record<string, unknown>): readonly string[] {
  const reading = typeof given === 'string' ? kind.read(given) : kind.readMembers?.(given);
  assert.ok(reading && 'rule' in reading && reading.problems, JSON.stringify(given));
  return reading.problems;
}

describe('retention', () => {
  it('is read from a text', () => {
    const rules = read(
      retentionRules,
      ' debug.* : age = 1d , count=5; audit:bytes=1 MiB,;\n x\\:y:forever; ',
    );
    assert.deepEqual(ruleFor(rules, 'debug.sql'), { ageS: 86_400, bytes: undefined, count: 5 });
    assert.deepEqual(ruleFor(rules, 'audit'), { ageS: undefined, bytes: MIB, count: undefined });
    assert.deepEqual(rules.find(({ topic }) => topic === 'x:y')?.limits, undefined);
    assert.equal(rules.length, 3);
    assert.deepEqual(read(retentionRules, ''), []);
  });

  it('is read from an object, whose topics are exact and whose nulls are not given', () => {
    const given = {
      ' x:y;z ': { age: '1w', bytes: 2 * MIB, count: null },
      'debug.*': 'count=7',
      audit: 'forever',
      none: null,
      constructor: { count: 1 },
    };
    const rules = read(retentionRules, given);
    assert.deepEqual(ruleFor(rules, ' x:y;z '), { ageS: 604_800, bytes: 2 * MIB, count: undefined });
    assert.equal(ruleFor(rules, 'debug.')?.count, 7);
    assert.equal(ruleFor(rules, 'constructor')?.count, 1);
    assert.equal(rules.length, 4);
    assert.deepEqual(read(retentionRules, {}), []);
  });

  it('takes a topic that is named like a member of every object', () => {
    const given = JSON.parse('{"__proto__": {"count": 1}}') as Record<string, unknown>;
    assert.equal(ruleFor(read(retentionRules, given), '__proto__')?.count, 1);
  });

  it('is refused with all problems of all topics', () => {
    assert.deepEqual(
      problemsOf(
        retentionRules,
        'a:age=1y,byte=5,count=0;b;a*c:count=1;d:;d:count=1;d:count=2;:age=1d;e:count=1,count=2',
      ),
      [
        `"a": age must be ${AGE}, not "1y"`,
        '"a": "byte" is no limit; did you mean "bytes"?',
        '"a": count must be an integer from 1 to 9007199254740991, not "0"',
        '"b" must be TOPIC:LIMITS, as orders:age=30d,bytes=10GiB',
        '"a*c": a * stands at the end only; an asterisk in a topic is written \\*',
        `"d": ${GIVE}`,
        '"d": the topic has a rule already',
        '"d": the topic has a rule already',
        '"": the topic must not be empty',
        '"e": count is given twice',
      ],
    );
  });

  it('takes neither a comma for a semicolon, nor a colon of a topic for the one after it, in silence', () => {
    const hint = 'is no limit; a colon in a topic is written \\:';
    assert.deepEqual(problemsOf(retentionRules, 'a:age=1d,b:age=2d'), [`"a": "b:age" ${hint}`]);
    assert.deepEqual(problemsOf(retentionRules, 'a:b:age=2d'), [`"a": "b:age" ${hint}`]);
    assert.deepEqual(problemsOf(retentionRules, 'a:1d'), [`"a": "1d" is no limit: ${GIVE}`]);
  });

  it('is refused as an object for what is none of its forms', () => {
    const given = {
      a: 5,
      b: [],
      c: {},
      d: { age: 3600, count: '5' },
      e: { count: {} },
      f: { constructor: 1 },
    };
    assert.deepEqual(problemsOf(retentionRules, given), [
      `"a": ${GIVE}`,
      `"b": ${GIVE}`,
      `"c": ${GIVE}`,
      `"d": age must be ${AGE}, not 3600`,
      '"e": count must be an integer from 1 to 9007199254740991, not {}',
      `"f": "constructor" is no limit: ${GIVE}`,
    ]);
  });

  it('names a rule that is given twice in two spellings', () => {
    assert.deepEqual(problemsOf(retentionRules, 'a b:count=1;a\\ b:count=1'), [
      '"a\\\\ b": the topic has a rule already',
    ]);
  });
});

describe('a dedup window', () => {
  it('is read from a text and from an object', () => {
    for (const given of [
      'orders:24h; debug.*:10m;audit:forever',
      { orders: '24h', 'debug.*': '10m', audit: 'forever' },
    ]) {
      const rules = read(dedupWindowRules, given);
      assert.deepEqual(ruleFor(rules, 'orders'), { windowS: 86_400 });
      assert.deepEqual(ruleFor(rules, 'debug.sql'), { windowS: 600 });
      assert.equal(ruleFor(rules, 'audit'), undefined);
    }
  });

  it('is refused with all problems', () => {
    assert.deepEqual(problemsOf(dedupWindowRules, 'a:0s;b:5;c'), [
      `"a": the window must be ${AGE}, not "0s"`,
      `"b": the window must be ${AGE}, not "5"`,
      '"c" must be TOPIC:WINDOW, as orders:24h',
    ]);
    assert.deepEqual(problemsOf(dedupWindowRules, { a: { window: '1d' } }), [
      `"a": the window must be ${AGE}, not {"window":"1d"}`,
    ]);
  });
});

function warningsOf(retention: string, windows: string): string[] {
  const warnings = topicWarnings(read(retentionRules, retention), read(dedupWindowRules, windows), 2 * MIB);
  return warnings.map((one) => one.split(' ', 5).join(' '));
}

describe('the operator is told', () => {
  it('that a window for all topics ends the promise of once for ever', () => {
    assert.deepEqual(warningsOf('', '*:1d'), ['dedup-window: * lets go of']);
    assert.deepEqual(warningsOf('', 'a*:1d;b:1d;*:forever'), []);
  });

  it('that fewer bytes are kept than one event may have', () => {
    assert.deepEqual(warningsOf('*:bytes=2MiB;a\\;b*:bytes=2097151', ''), [
      'retention: a\\;b* keeps fewer bytes',
    ]);
    assert.deepEqual(warningsOf('*:age=1d;a:forever', ''), []);
  });
});
