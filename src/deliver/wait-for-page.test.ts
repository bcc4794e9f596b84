import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printPage } from '../store/page-printer.ts';
import type { PrintedQuery, StoredEvent } from '../store/store-reader.ts';
import { waitForPage } from './wait-for-page.ts';

const QUERY = { source: 'rare', order: 'asc', offset: 0, limit: 10, after: 5 } as const;

function eventAt(position: number): StoredEvent {
  const texts = { topic: 'orders', event_id: 'e', source: 'rare', payload: '{}' };
  return { position, ...texts, timestamp: 0, processed_at: 0, sequence: undefined };
}

/** A log that grows by ten events with each look, of which the third look finds one that matches. */
function growingLog(looks: (number | undefined)[]) {
  const listeners = new Set<() => void>();
  return {
    listeners,
    lastPosition: async () => 10 * (looks.length + 1),
    printed: async ({ after, printing }: PrintedQuery) => {
      looks.push(after);
      setImmediate(() => listeners.forEach((listener) => listener()));
      return printPage({ events: looks.length < 3 ? [] : [eventAt(25)], next: undefined }, printing);
    },
    onStored: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

test('a page that is waited for is looked for in what is new, and not in all of it again', async () => {
  const looks: (number | undefined)[] = [];
  const log = growingLog(looks);
  const { positions } = await waitForPage(log, log, QUERY, new AbortController().signal);
  assert.deepEqual([...positions], [25]);
  assert.deepEqual(looks, [5, 10, 20]);
  assert.equal(log.listeners.size, 0);
});

test('what an offset passes over is passed over in each look', async () => {
  const looks: (number | undefined)[] = [];
  const log = growingLog(looks);
  await waitForPage(log, log, { ...QUERY, offset: 2 }, new AbortController().signal);
  assert.deepEqual(looks, [5, 5, 5]);
});
