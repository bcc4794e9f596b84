import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { SekaliError } from '../errors.ts';
import { SUBSCRIPTION_BOUNDS } from '../protocol/subscriptions-wire.ts';
import { readDefinition, readLeases, readNack, readSeek, readSelection } from './subscription-members.ts';

const LEASE = '0123456789abcdef'.repeat(2);

const NAMES =
  'topics start ack_wait_ms max_attempts max_in_flight backoff ordered lease positions leases delay_ms reason to dry_run topic all __proto__ toString'.split(
    ' ',
  );

const anyMembers = fc.dictionary(
  fc.constantFrom(...NAMES),
  fc.oneof(
    fc.constantFrom(LEASE, 'earliest', 0, 1, 5000, true, { after: 1 }, { since: '0001-01-01T00:00:00Z' }),
    fc.constantFrom(['a.>'], [1, 1, 2], [{ position: 1, lease: LEASE }], { first_ms: 90_000 }),
    fc.jsonValue({ maxDepth: 2 }),
  ),
  { maxKeys: 4 },
);

describe('what a body asks of a subscription', () => {
  it('is either valid, within the bounds, or refused by name', () => {
    fc.assert(
      fc.property(anyMembers, (members) => {
        for (const read of [readDefinition, readSeek, readLeases, readNack, readSelection]) {
          try {
            read(members);
          } catch (error) {
            assert.ok(error instanceof SekaliError, String(error));
            assert.equal(error.code, 'subscription_invalid');
            assert.equal(typeof error.members['member'], 'string');
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('has defaults; the longest pause is never shorter than the first', () => {
    const { definition, start } = readDefinition({ topics: ['a'], backoff: { first_ms: 90_000 } });
    assert.deepEqual(definition.backoff, { firstMs: 90_000, maxMs: 90_000 });
    assert.deepEqual(start, { kind: 'earliest' });
    const { backoff } = readDefinition({ topics: ['a'], backoff: {} }).definition;
    const { firstFallback, maxFallback } = SUBSCRIPTION_BOUNDS.backoffMs;
    assert.deepEqual(backoff, { firstMs: firstFallback, maxMs: maxFallback });
  });

  it('may begin at any time: before 1970 that is the beginning, and within a millisecond its start', () => {
    const times = {
      '0001-01-01T00:00:00Z': 0,
      '1970-01-01T00:00:01.000999Z': 1000,
      '9999-12-31T23:59:59.999999Z': 253_402_300_799_999,
    };
    for (const [since, sinceMs] of Object.entries(times))
      assert.deepEqual(readSeek({ to: { since } }).to, { kind: 'time', sinceMs });
  });

  it('names each lease once', () => {
    const one = { position: 1, lease: LEASE };
    assert.deepEqual(readLeases({ lease: LEASE, positions: [1, 1] }), [one]);
    assert.deepEqual(readLeases({ leases: [one, one] }), [one]);
    assert.equal(readLeases({ leases: [one, { ...one, lease: 'f'.repeat(32) }] }).length, 2);
  });
});
