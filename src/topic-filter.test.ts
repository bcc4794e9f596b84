import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isPlain, patternExpression, patternRule, TopicFilter } from './topic-filter.ts';

const cases: [pattern: string, matched: string[], others: string[]][] = [
  ['orders', ['orders'], ['Orders', 'orders.eu', 'order', 'orders.']],
  ['orders.*', ['orders.eu', 'orders.', 'orders.*'], ['orders', 'orders.eu.paid', 'order.eu']],
  ['orders.>', ['orders.eu', 'orders.eu.paid', 'orders.'], ['orders', 'order.eu']],
  ['*.eu', ['orders.eu', '.eu'], ['orders.us', 'a.b.eu', 'eu']],
  ['a.*.c.>', ['a.b.c.d', 'a..c.d.e'], ['a.b.c', 'a.b.x.d']],
  ['>', ['orders', 'orders.eu', '(x)', '.'], []],
  ['a+b', ['a+b'], ['aab', 'aa']],
];

for (const [pattern, matched, others] of cases) {
  test(`${pattern} matches ${matched.join(' ')}`, () => {
    const filter = new TopicFilter([pattern]);
    for (const topic of [...matched, ...matched]) assert.ok(filter.matches(topic), topic);
    for (const topic of others) assert.ok(!filter.matches(topic), topic);
  });
}

test('a filter of several patterns matches what one of them does', () => {
  const filter = new TopicFilter(['orders.*', 'payments']);
  assert.deepEqual(
    ['orders.eu', 'payments', 'orders'].map((topic) => filter.matches(topic)),
    [true, true, false],
  );
  assert.equal(filter.topic, undefined);
  assert.equal(new TopicFilter(['payments']).topic, 'payments');
  assert.equal(new TopicFilter(['*']).topic, undefined);
});

test('a pattern that is none names the rule', () => {
  for (const pattern of ['orders.>.eu', 'ord*', 'orders.e>', '', ' ', 'a\n', 'x'.repeat(256)])
    assert.ok(patternRule(pattern), pattern);
  assert.match(patternRule('ord*') ?? '', /"ord\*"/);
  for (const pattern of ['>', '*', 'a.*.b', 'a.>', 'a..b', 'größe'])
    assert.equal(patternRule(pattern), undefined);
});

test('the regular expression matches the same topics', () => {
  const word = fc.constantFrom('a', 'b', '', '(', '[x]', '+', 'ab');
  const pattern = fc.array(fc.oneof(word, fc.constant('*')), { minLength: 1, maxLength: 4 });
  const topic = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.'));
  fc.assert(
    fc.property(pattern, fc.boolean(), topic, (words, hasRest, name) => {
      const text = [...words, ...(hasRest ? ['>'] : [])].join('.');
      const expected = new TopicFilter([text]).matches(name);
      assert.equal(new RegExp(patternExpression(text)).test(name), expected);
      assert.equal(isPlain(text), !words.includes('*') && !hasRest);
    }),
  );
});
