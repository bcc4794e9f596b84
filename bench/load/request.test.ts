import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf, topicOf } from './event-text.ts';
import { EventNumbers } from './numbers.ts';
import { EventRequest, publishRequest } from './request.ts';

const SEED = 77;
type Sent = { topic: string; event_id: string; timestamp: string; payload: { user: string } };

function bodyOf({ bytes }: EventRequest): string {
  return bytes.toString().split('\r\n\r\n')[1] ?? '';
}

test('a request carries the events of its numbers, and others when it is refilled', () => {
  const request = publishRequest('localhost', 3, SEED);
  const numbers = new EventNumbers({ events: 6, first: 12_345_678, duplicates: 0, seed: SEED });
  for (const first of [12_345_678, 12_345_681]) {
    request.refill(numbers);
    const events = JSON.parse(bodyOf(request)) as Sent[];
    events.forEach((event, i) => {
      assert.equal(event.event_id, idOf(first + i, SEED));
      assert.match(event.event_id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      assert.equal(event.topic, topicOf(first + i));
      assert.equal(Date.parse(event.timestamp), Date.UTC(2026, 0, 1) + first + i);
      assert.equal(event.payload.user, `user-${String((first + i) % 100_000).padStart(5, '0')}`);
    });
    assert.match(request.bytes.toString(), new RegExp(`Content-Length: ${bodyOf(request).length}\r\n`));
  }
});

test('topic and id stand in what comes before an event too', () => {
  const before = 'PUB orders.0 00000000-0000-4000-8000-000000000000|';
  const request = new EventRequest({ head: '', before, after: '\n', between: '', tail: '' }, 2, SEED);
  request.refill(new EventNumbers({ events: 2, first: 5, duplicates: 0, seed: SEED }));
  const lines = request.bytes.toString().trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => line.split('|')[0]),
    [5, 6].map((number) => `PUB ${topicOf(number)} ${idOf(number, SEED)}`),
  );
});

test('ids of a hundred thousand events are all different', () => {
  const ids = new Set(Array.from({ length: 100_000 }, (_, i) => idOf(i, SEED)));
  assert.equal(ids.size, 100_000);
});
