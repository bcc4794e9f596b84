import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UuidMaker } from './uuid.ts';

test('ids are UUIDs of version 7, of their time, and rise: also within a millisecond, and when the clock goes back', () => {
  const times = [
    1_700_000_000_000,
    ...Array.from({ length: 9000 }, () => 1_700_000_000_001),
    1_600_000_000_000,
  ];
  const maker = new UuidMaker(() => times.shift() ?? 1_700_000_000_005);
  const ids = Array.from({ length: 9010 }, () => maker.next());
  for (const id of ids)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(ids, [...ids].sort());
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(Number.parseInt(ids[0]!.replaceAll('-', '').slice(0, 12), 16), 1_700_000_000_000);
});
