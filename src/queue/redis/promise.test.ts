import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PersistenceFacts } from './persistence.ts';
import { promiseOf } from './promise.ts';

const SAFE: PersistenceFacts = {
  version: '7.0.15',
  runId: 'a',
  appendOnly: true,
  appendFsync: 'always',
  noFsyncOnRewrite: false,
  evictionPolicy: 'noeviction',
};
const NONE = { kind: 'none' };

const cases: [
  Partial<PersistenceFacts>,
  replicas: number,
  durable: boolean,
  confirmation: object,
  text: RegExp,
][] = [
  [{}, 0, true, NONE, /appendfsync always/],
  [{ version: '8.2.1' }, 0, true, NONE, /appendfsync always/],
  [{ version: '8.2.1' }, 1, true, { kind: 'fsync', replicas: 1 }, /on the disk of at least 1/],
  [{ noFsyncOnRewrite: true }, 0, false, NONE, /no-appendfsync-on-rewrite/],
  [{ noFsyncOnRewrite: true, version: '8.0.0' }, 0, true, { kind: 'fsync', replicas: 0 }, /WAITAOF/],
  [{ appendFsync: 'everysec' }, 0, false, NONE, /last second or two/],
  [{ appendFsync: 'everysec' }, 2, false, { kind: 'replicas', replicas: 2 }, /memory of at least 2/],
  [{ appendFsync: 'everysec', version: '8.0.0' }, 0, true, { kind: 'fsync', replicas: 0 }, /WAITAOF/],
  [{ appendFsync: 'everysec', version: '8.0.0' }, 1, true, { kind: 'fsync', replicas: 1 }, /WAITAOF/],
  // Its WAITAOF does not wait.
  [{ appendFsync: 'everysec', version: '7.2.4' }, 0, false, NONE, /last second or two/],
  [{ appendFsync: 'no', version: '8.0.0' }, 0, false, NONE, /appendfsync no/],
  [{ appendOnly: false, version: '8.0.0' }, 0, false, NONE, /memory only/],
  [{ appendOnly: false, version: '8.0.0' }, 1, false, { kind: 'replicas', replicas: 1 }, /memory only/],
  [{ appendFsync: undefined, noFsyncOnRewrite: undefined }, 0, false, NONE, /does not tell/],
  [{ evictionPolicy: 'allkeys-lru' }, 0, false, NONE, /allkeys-lru/],
  [{ evictionPolicy: 'volatile-lru' }, 0, true, NONE, /appendfsync always/],
];

for (const [change, replicas, durable, confirmation, text] of cases) {
  test(`a server with ${JSON.stringify(change)} and ${replicas} replicas asked for`, () => {
    const promise = promiseOf({ ...SAFE, ...change }, replicas);
    assert.equal(promise.durable, durable);
    assert.deepEqual(promise.confirmation, confirmation);
    assert.match(promise.text, text);
  });
}
