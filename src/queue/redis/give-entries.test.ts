import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RawEntry, toEntries } from './give-entries.ts';

const ID = Buffer.alloc(16, 7);
const EPOCH = '0f8fad5b-d9cb-469f-a165-70867728950e';
const BODY = Buffer.from('body');

function raw(fields: Readonly<Record<string, string | Buffer>>): RawEntry {
  return [
    Buffer.from('1-1'),
    Object.entries(fields)
      .flat()
      .map((each) => Buffer.from(each)),
    2,
  ];
}

test('an entry of ours is as it was put in', () => {
  const entries = toEntries([raw({ id: ID, events: '3', epoch: EPOCH, body: BODY })]);
  assert.deepEqual(entries, [{ place: '1-1', id: ID, attempts: 2, epoch: EPOCH, events: 3, body: BODY }]);
});

const OTHERS: Readonly<Record<string, string | Buffer>>[] = [
  { hello: 'world' },
  { id: 'short', events: '3', epoch: EPOCH, body: BODY },
  { id: ID, body: BODY },
  { id: ID, events: '3', body: BODY },
  { id: ID, events: '3', epoch: 'undefined', body: BODY },
  { id: ID, events: '3', epoch: `${EPOCH}0`, body: BODY },
  { id: ID, epoch: EPOCH, body: BODY },
  ...['NaN', '', '-1', '1.5', '1e3', '0x10', '2147483648'].map((events) => ({
    id: ID,
    events,
    epoch: EPOCH,
    body: BODY,
  })),
];

for (const fields of OTHERS)
  test(`an entry with ${JSON.stringify({ ...fields, id: String(fields['id']), body: '' })} is not ours`, () => {
    const [entry] = toEntries([raw(fields)]);
    assert.equal(entry!.id.length, 16);
    assert.notDeepEqual(entry!.id, ID);
    assert.deepEqual([entry!.events, entry!.body.length], [0, 0]);
    assert.equal(entry!.epoch, '00000000-0000-0000-0000-000000000000');
  });

test('what is gone from the stream is passed over', () => {
  assert.deepEqual(toEntries([[Buffer.from('1-1'), null]]), []);
});
