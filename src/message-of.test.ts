import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from './message-of.ts';

const refused = (address: string) => new Error(`connect ECONNREFUSED ${address}`);
const withCode = (error: Error, code: string) => Object.assign(error, { code });

const cases: [what: string, error: unknown, message: string][] = [
  ['an error', new Error('gone'), 'gone'],
  ['an error with a code and no message', withCode(new Error(''), 'ECONNRESET'), 'ECONNRESET'],
  ['an error with nothing but its name', new TypeError(''), 'TypeError'],
  [
    'a connection refused at all addresses of a name',
    withCode(new AggregateError([refused('::1:1'), refused('127.0.0.1:1')]), 'ECONNREFUSED'),
    'connect ECONNREFUSED ::1:1, connect ECONNREFUSED 127.0.0.1:1',
  ],
  [
    'several errors with a message of their own',
    new AggregateError([refused('a')], 'none went'),
    'none went',
  ],
  ['several errors, of which there is none', withCode(new AggregateError([]), 'EX'), 'EX'],
  ['a text', 'gone', 'gone'],
  ['nothing', undefined, 'undefined'],
  ['an object', { toString: () => 'an object' }, 'an object'],
];

for (const [what, error, message] of cases)
  test(`the message of ${what}`, () => assert.equal(messageOf(error), message));
