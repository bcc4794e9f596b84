import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instantOfMs } from '../../src/instant.ts';
import { printEvent } from '../../src/store/print-event.ts';
import { dueMicrosAt, LIVE_TOPIC, LiveRequest, nowMicros, numberAt, stampAt } from './live-events.ts';

test('a request carries the events of its numbers, and a subscriber reads number and time from what the server prints', () => {
  const request = new LiveRequest('http://localhost:1', 3);
  for (const first of [0, 123_456]) {
    const dueMicros = Math.floor(nowMicros()) + first;
    request.stamp(first, dueMicros);
    const [head = '', body = ''] = request.bytes.toString().split('\r\n\r\n');
    assert.match(head, new RegExp(`\r\nContent-Length: ${body.length}$`));
    const sent = JSON.parse(body) as { topic: string; event_id: string }[];
    sent.forEach(({ topic, event_id }, i) => {
      assert.equal(topic, LIVE_TOPIC);
      const position = first + i + 1;
      const at = instantOfMs(0);
      const event = {
        position,
        topic,
        event_id,
        timestamp: at,
        source: 's',
        payload: '{}',
        processed_at: at,
      };
      const printed = Buffer.from(
        `id: ${position}\ndata: ${printEvent({ sequence: undefined, ...event })}\n\n`,
      );
      const stamp = stampAt(position, printed.indexOf('{'));
      assert.equal(numberAt(printed, stamp), first + i);
      assert.equal(dueMicrosAt(printed, stamp), dueMicros);
    });
  }
});

test('an event that is another one is an error', () => {
  assert.throws(() => numberAt(Buffer.from('{"position":1,"topic":"other"'), 3), /does not look/);
});
