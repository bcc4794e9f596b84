import assert from 'node:assert/strict';
import { makeEvent } from '../../support/make-events.ts';
import { appendOne, type StoreCase, verdictsOf } from './case.ts';

/** Pairs that a careless key would take for one: by joining, folding, normalising, cutting off. */
const LOOKALIKES: readonly [string, readonly [string, string], readonly [string, string]][] = [
  ['a separator that could stand on either side', ['a:b', 'c'], ['a', 'b:c']],
  ['no separator at all', ['ab', 'c'], ['a', 'bc']],
  ['topic and event_id exchanged', ['a', 'b'], ['b', 'a']],
  ['upper and lower case', ['orders', 'A1'], ['orders', 'a1']],
  ['upper and lower case of the topic', ['Orders', 'a1'], ['orders', 'a1']],
  ['composed and decomposed Unicode', ['orders', 'caf\u00e9'], ['orders', 'cafe\u0301']],
  ['a letter and its full-width form', ['orders', 'a'], ['orders', '\uff41']],
  ['white space at the end', ['orders', 'a'], ['orders', 'a ']],
  ['a zero in front', ['orders', '1'], ['orders', '01']],
  [
    'the last of 255 characters of four bytes',
    ['orders', '😀'.repeat(255)],
    ['orders', `${'😀'.repeat(254)}😁`],
  ],
  ['SQL wildcards', ['orders', 'a_b'], ['orders', 'a%b']],
];

export const keyCases: readonly StoreCase[] = [
  ...LOOKALIKES.map(
    ([what, left, right]): StoreCase => ({
      name: `keys that differ in this are two: ${what}`,
      async run({ open }) {
        const store = await open();
        const events = [left, right].map(([topic, event_id]) => makeEvent({ topic, event_id }));
        assert.deepEqual(await verdictsOf(store, ...events), ['stored', 'stored']);
        assert.deepEqual(await verdictsOf(store, ...events), ['duplicate', 'duplicate']);
        assert.equal(await store.find(...left), 1);
        assert.equal(await store.find(...right), 2);
      },
    }),
  ),
  {
    name: 'find tells the position of a key, and undefined for one never stored',
    async run({ open }) {
      const store = await open();
      await appendOne(store, makeEvent({ event_id: 'a' }), makeEvent({ event_id: 'b' }));
      assert.equal(await store.find('orders', 'b'), 2);
      assert.equal(await store.find('orders', 'c'), undefined);
      assert.equal(await store.find('order', 'sb'), undefined);
    },
  },
];
