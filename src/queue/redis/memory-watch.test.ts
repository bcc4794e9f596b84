import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryWatch } from './memory-watch.ts';
import type { QueueEvent } from './options.ts';
import type { PersistenceFacts } from './persistence.ts';

test('within an epoch the highest count is kept, whatever the order of the replies', () => {
  const { watch, events } = makeWatch();
  watch.saw({ epoch: 'a', enqueued: 10 });
  watch.saw({ epoch: 'a', enqueued: 8 });
  assert.deepEqual(watch.seen, { epoch: 'a', enqueued: 10 });
  assert.deepEqual(events, []);
});

test('a new epoch is told once, with what was known of the old one', () => {
  const { watch, events } = makeWatch();
  watch.saw({ epoch: 'a', enqueued: 10 });
  watch.saw({ epoch: 'b', enqueued: 1 });
  watch.saw({ epoch: 'b', enqueued: 2 });
  assert.deepEqual(
    events.map(({ kind, level }) => [kind, level]),
    [['memory_lost', 'error']],
  );
  assert.match(events[0]!.detail, /epoch a at least 10 events/);
});

test('a restart leaves a doubt only where the server does not wait for its disk', () => {
  for (const durable of [true, false]) {
    const { watch, events } = makeWatch();
    watch.met(facts('one'), durable, { epoch: 'a', enqueued: 1 });
    watch.met(facts('one'), durable, { epoch: 'a', enqueued: 1 });
    assert.deepEqual(events, []);
    watch.met(facts('two'), durable, { epoch: 'a', enqueued: 1 });
    assert.deepEqual(
      events.map(({ kind }) => kind),
      durable ? [] : ['memory_in_doubt'],
    );
  }
});

function makeWatch(): { watch: MemoryWatch; events: QueueEvent[] } {
  const events: QueueEvent[] = [];
  return { watch: new MemoryWatch((event) => events.push(event)), events };
}

function facts(runId: string): PersistenceFacts {
  return {
    version: '7.0.15',
    runId,
    appendOnly: true,
    appendFsync: undefined,
    noFsyncOnRewrite: undefined,
    evictionPolicy: undefined,
  };
}
