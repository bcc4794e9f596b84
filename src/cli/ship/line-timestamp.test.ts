import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatInstant, parseInstant } from '../../instant.ts';
import { timestampOfLine, timestampOfValue } from './line-timestamp.ts';

const WRITTEN = parseInstant('2026-03-01T12:00:00Z')!;

function ofLine(line: string, written = WRITTEN): string | undefined {
  const found = timestampOfLine(line, written);
  return found === undefined ? undefined : formatInstant(found);
}

function ofValue(value: unknown): string | undefined {
  const found = timestampOfValue(value, WRITTEN);
  return found === undefined ? undefined : formatInstant(found);
}

const LINES: readonly (readonly [line: string, timestamp: string])[] = [
  // ISO 8601 and its kin
  ['2026-01-31T12:00:00Z started', '2026-01-31T12:00:00.000000Z'],
  ['2026-01-31T12:00:00.123456789+01:00 started', '2026-01-31T11:00:00.123456Z'],
  ['2026-01-31T12:00:00-0530 started', '2026-01-31T17:30:00.000000Z'],
  ['2026-01-31 12:00:00+02 LOG:  ready', '2026-01-31T10:00:00.000000Z'],
  ['2026-01-31 12:00:00.250 UTC [77] LOG:  ready', '2026-01-31T12:00:00.250000Z'],
  ['2026-01-31 12:00:00,123 [main] INFO  org.example.Main - started', '2026-01-31T12:00:00.123000Z'],
  ['2026-01-31 12:00:00 - root - INFO - started', '2026-01-31T12:00:00.000000Z'],
  ['2026-01-31 12:00 started', '2026-01-31T12:00:00.000000Z'],
  ['2026/01/31 12:00:00 [error] 77#77: *1 open() failed', '2026-01-31T12:00:00.000000Z'],
  ['[2026-01-31 12:00:00] local.ERROR: failed', '2026-01-31T12:00:00.000000Z'],
  ['level=info ts=2026-01-31T12:00:00.5Z msg=started', '2026-01-31T12:00:00.500000Z'],
  ['\u001b[32m2026-01-31T12:00:00Z\u001b[0m started', '2026-01-31T12:00:00.000000Z'],
  [
    'api.log.1.2026-01-30_13:53:08 2026-01-31 00:00:00.008 25746 INFO api [-] up',
    '2026-01-31T00:00:00.008000Z',
  ],
  ['20260131T120000Z started', '2026-01-31T12:00:00.000000Z'],
  // syslog
  ['<34>1 2026-01-31T12:00:00.003Z host su 77 ID47 - failed', '2026-01-31T12:00:00.003000Z'],
  ['Jan 31 15:16:01 combo sshd[19939]: failure', '2026-01-31T15:16:01.000000Z'],
  ['<13>Feb  3 05:06:07 combo cron: run', '2026-02-03T05:06:07.000000Z'],
  ['Jan 31 2026 15:16:01.5 switch %LINK-3-UPDOWN', '2026-01-31T15:16:01.500000Z'],
  ['Jan 31, 2026 1:05:09 PM org.example.Main main', '2026-01-31T13:05:09.000000Z'],
  ['Jan 31, 2026 12:05:09 AM org.example.Main main', '2026-01-31T00:05:09.000000Z'],
  // Apache, and what looks like it
  ['[Sun Dec 04 04:47:44 2005] [notice] ready', '2005-12-04T04:47:44.000000Z'],
  ['[Wed Oct 11 14:32:52.123456 2000] [core:error] [pid 7] failed', '2000-10-11T14:32:52.123456Z'],
  ['Sun Dec  4 04:47:44 UTC 2005 backup done', '2005-12-04T04:47:44.000000Z'],
  ['127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326', '2000-10-10T20:55:36.000000Z'],
  ['77:M 31 Jan 2026 12:00:00.123 * Ready to accept connections', '2026-01-31T12:00:00.123000Z'],
  ['31-Jan-2026 12:00:00.123 INFO [main] started', '2026-01-31T12:00:00.123000Z'],
  // Hadoop, glog
  ['081109 203615 148 INFO dfs.DataNode: ready', '2008-11-09T20:36:15.000000Z'],
  ['991231 235959 1 INFO dfs.DataNode: ready', '1999-12-31T23:59:59.000000Z'],
  ['I0131 12:00:00.123456 77 server.go:10] ready', '2026-01-31T12:00:00.123456Z'],
  // since 1970
  ['1767182400 started', '2025-12-31T12:00:00.000000Z'],
  ['1767182400.25 77 127.0.0.1 TCP_MISS/200', '2025-12-31T12:00:00.250000Z'],
  ['[1767182400123] started', '2025-12-31T12:00:00.123000Z'],
  ['1767182400123456 started', '2025-12-31T12:00:00.123456Z'],
  ['1767182400123456789,started', '2025-12-31T12:00:00.123456Z'],
  ['type=SYSCALL msg=audit(1767182400.123:42): arch=c000003e', '2025-12-31T12:00:00.123000Z'],
];

for (const [line, timestamp] of LINES) {
  test(`the time is read from: ${JSON.stringify(line)}`, () => {
    assert.equal(ofLine(line), timestamp);
  });
}

for (const line of [
  'started',
  '',
  'java.lang.IllegalStateException: failed',
  '2026-13-45T12:00:00Z names no day',
  '2026-02-30 12:00:00 names no day either',
  '101345 131415 is no date',
  '[12345.678901] usb 1-1: new device',
  '4915112345 is a telephone number: as a time it would be after the last write of the file',
  '12345678901 has eleven digits',
  `${'x'.repeat(200)} 2026-01-31T12:00:00Z is too far from the beginning`,
]) {
  test(`no time is read from: ${JSON.stringify(line.slice(0, 60))}`, () => {
    assert.equal(ofLine(line), undefined);
  });
}

test('of two times, the one that begins first counts', () => {
  const line = 'Jan 31 12:00:00 host app: job of 2020-01-01T00:00:00Z done';
  assert.equal(ofLine(line), '2026-01-31T12:00:00.000000Z');
});

test('a time without a year is the latest that is at most a day after the last write', () => {
  const newYear = parseInstant('2026-01-01T00:30:00Z')!;
  assert.equal(ofLine('Dec 31 23:59:59 host up', newYear), '2025-12-31T23:59:59.000000Z');
  assert.equal(ofLine('Jan  1 00:29:59 host up', newYear), '2026-01-01T00:29:59.000000Z');
  assert.equal(ofLine('Jan  2 00:29:59 host in another zone', newYear), '2026-01-02T00:29:59.000000Z');
  assert.equal(ofLine('Jan  2 00:30:01 host up', newYear), '2025-01-02T00:30:01.000000Z');
});

test('the 29th of February without a year is in the last leap year', () => {
  assert.equal(ofLine('Feb 29 12:00:00 host up'), '2024-02-29T12:00:00.000000Z');
});

test('a member of a JSON line may hold a text or a number in any usual unit', () => {
  assert.equal(ofValue('2026-01-31T12:00:00.5Z'), '2026-01-31T12:00:00.500000Z');
  assert.equal(ofValue('31/Jan/2026:12:00:00 +0100'), '2026-01-31T11:00:00.000000Z');
  assert.equal(ofValue('1767182400123'), '2025-12-31T12:00:00.123000Z');
  for (const number of [1767182400.123, 1767182400123, 1767182400123000]) {
    assert.equal(ofValue(number), '2025-12-31T12:00:00.123000Z');
  }
  assert.equal(ofValue(1767182400123000000)?.slice(0, 23), '2025-12-31T12:00:00.123');
  for (const none of [null, true, {}, [], -1, 1e30, 'soon']) assert.equal(ofValue(none), undefined);
});
