import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { didYouMean, nearest } from './nearest.ts';

const KNOWN = ['topic', 'event_id', 'timestamp', 'source', 'payload', 'sequence'];

test('a name is taken for the known one that is nearest', () => {
  const meant: Record<string, string> = {
    eventId: 'event_id',
    'EVENT-ID': 'event_id',
    eventid: 'event_id',
    Topic: 'topic',
    topics: 'topic',
    timestmap: 'timestamp',
    tpoic: 'topic',
    sorce: 'source',
    paylod: 'payload',
  };
  for (const [given, expected] of Object.entries(meant)) {
    assert.equal(nearest(given, KNOWN), expected, given);
  }
});

test('a name that is like none is taken for none', () => {
  for (const name of ['', 'x', 'tipco', 'message', 'id', 'hostname', '🎉']) {
    assert.equal(nearest(name, KNOWN), undefined, name);
  }
  assert.equal(nearest('topic', []), undefined);
});

test('a known name is nearest to itself, whatever its case and hyphens', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...KNOWN),
      fc.boolean(),
      fc.constantFrom('', '-', '_'),
      (name, upper, joint) => {
        const spelled = name.replaceAll('_', joint);
        assert.equal(nearest(upper ? spelled.toUpperCase() : spelled, KNOWN), name);
      },
    ),
  );
});

test('any name, however long, is compared in bounded time', () => {
  assert.equal(nearest('topic'.repeat(1_000_000), KNOWN), undefined);
});

test('the hint is part of a sentence, or nothing', () => {
  assert.equal(didYouMean('eventId', KNOWN), '; did you mean "event_id"?');
  assert.equal(didYouMean('hostname', KNOWN), '');
});
