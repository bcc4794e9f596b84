import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInstant } from '../../instant.ts';
import { type EventOptions, eventOfLine } from './line-event.ts';
import type { Line } from './line-reader.ts';

const OPTIONS: EventOptions = {
  topic: 'logs',
  source: 'app.log',
  idField: undefined,
  timeField: undefined,
  sourceField: undefined,
};
const TIME = { now: parseInstant('2026-03-01T12:00:00Z')!, written: parseInstant('2026-03-01T11:00:00Z')! };

function eventOf(bytes: string | Buffer, change: Partial<EventOptions & Pick<Line, 'offset'>> = {}) {
  const { offset = 5, ...options } = change;
  const line = { number: 1, offset, id: 'content-id', bytes: Buffer.from(bytes) };
  return eventOfLine(line, { ...OPTIONS, ...options }, TIME);
}

function parsed(...args: Parameters<typeof eventOf>): Record<string, unknown> {
  return JSON.parse(eventOf(...args)!.json) as Record<string, unknown>;
}

test('a line is an event with the line as it stands', () => {
  assert.deepEqual(parsed('  2026-01-31T12:00:00Z "a"\tb\u0000\u2028 '), {
    topic: 'logs',
    event_id: 'content-id',
    timestamp: '2026-01-31T12:00:00.000000Z',
    source: 'app.log',
    payload: { line: '  2026-01-31T12:00:00Z "a"\tb\u0000\u2028 ' },
  });
});

test('a line that holds a JSON object is its payload, character by character', () => {
  const json = '{"n": 12345678901234567890, "f": 1.0, "__proto__": {"a": [1e2]}, "n": 2}';
  assert.ok(eventOf(json)!.json.endsWith(`,"payload":${json}}`));
});

for (const line of ['[1,2]', '"text"', '42', 'null', '{"open": ', '{"a":1} {"b":2}', "{'a': 1}"]) {
  test(`a line is a line when it holds no JSON object: ${line}`, () => {
    assert.deepEqual(parsed(line)['payload'], { line });
  });
}

for (const blank of ['', ' ', '\t', '\u00a0', '\ufeff']) {
  test(`a blank line is no event: ${JSON.stringify(blank)}`, () => {
    assert.equal(eventOf(blank, { offset: 0 }), undefined);
  });
}

test('a line that is no UTF-8 has its bytes beside its text', () => {
  const bytes = Buffer.from([0x63, 0x61, 0x66, 0xe9]);
  assert.deepEqual(parsed(bytes)['payload'], { line: 'caf\ufffd', line_base64: 'Y2Fm6Q==' });
  assert.deepEqual(eventOf(bytes)!.lacks, ['time', 'utf8']);
});

test('JSON that is no UTF-8 is a line: its text would not come back as it stands', () => {
  const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xe9]), Buffer.from('"}')]);
  assert.equal((parsed(bytes)['payload'] as { line: string }).line, '{"a":"\ufffd"}');
});

test('a byte order mark at the start of a file is no part of its first line', () => {
  assert.deepEqual(parsed('\ufeff{"a":1}', { offset: 0 })['payload'], { a: 1 });
  assert.deepEqual(parsed('\ufeffa', { offset: 5 })['payload'], { line: '\ufeffa' });
});

test('the time of a JSON line is read from the usual members, of any other line from its text', () => {
  for (const member of ['@timestamp', 'timestamp', 'time', 'ts']) {
    assert.equal(parsed(`{"${member}":1767182400123}`)['timestamp'], '2025-12-31T12:00:00.123000Z');
  }
  const nested = '{"meta":{"at":"2026-01-31 12:00:00,5"},"time":1767182400}';
  assert.equal(parsed(nested, { timeField: 'meta.at' })['timestamp'], '2026-01-31T12:00:00.500000Z');
  assert.equal(parsed(nested, { timeField: 'gone' })['timestamp'], '2025-12-31T12:00:00.000000Z');
});

test('a line without a time has that of its shipping, and says so', () => {
  for (const line of ['started', '{"a":1}', '{"time":"soon"}']) {
    assert.equal(parsed(line)['timestamp'], '2026-03-01T12:00:00.000000Z');
    assert.deepEqual(eventOf(line)!.lacks, ['time']);
  }
});

test('a member of the line can be its id, at any depth, a number as it is spelled', () => {
  const ids: [string, string, string][] = [
    ['{"id":"order-1"}', 'id', 'order-1'],
    ['{"meta":{"id":7}}', 'meta.id', '7'],
    ['{"meta.id":"flat","meta":{"id":"deep"}}', 'meta.id', 'flat'],
    ['{"id":12345678901234567890}', 'id', '12345678901234567890'],
    ['{"id":1.0}', 'id', '1.0'],
  ];
  for (const [line, idField, id] of ids) {
    assert.equal(parsed(line, { idField })['event_id'], id);
    assert.ok(!eventOf(line, { idField })!.lacks.includes('id'));
  }
});

test('a line without the member keeps the id of its content, and says so', () => {
  for (const line of [
    '{"id":null}',
    '{"id":{}}',
    '{}',
    '{"toString":1}',
    'java.lang.IllegalStateException',
  ]) {
    assert.equal(parsed(line, { idField: 'id' })['event_id'], 'content-id');
    assert.ok(eventOf(line, { idField: 'id' })!.lacks.includes('id'));
  }
});

test('a member of the line can be its source, if it may be one', () => {
  const options = { sourceField: 'host' };
  assert.equal(parsed('{"host":"web-1"}', options)['source'], 'web-1');
  for (const line of ['{"host":""}', '{"host":"a\\nb"}', '{"host":[]}', '{}', 'text']) {
    assert.equal(parsed(line, options)['source'], 'app.log');
  }
});
