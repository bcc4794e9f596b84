import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { printReport, type Report } from './report.ts';

function makeReport(change: Partial<Report> = {}): Report {
  return {
    url: 'http://127.0.0.1:8080',
    seed: 42,
    sent: 5000,
    distinct: 4000,
    resent: 1000,
    unanswered: 0,
    retries: 0,
    seconds: 0.5,
    events_per_second: 10_000,
    interrupted: false,
    answers: { processed: 4000, duplicates: 1000, conflicts: 0, rejected: 0 },
    stats: { received: 5000, unique_processed: 4000, duplicate_dropped: 1000, conflicts: 0, rejected: 0 },
    log: { added: 4000, fresh: 4000, earlier: 0, missing: 0, doubled: 0, altered: 0, examples: [] },
    accounted_for: true,
    problems: [],
    ...change,
  };
}

function linesOf(report: Report): string[] {
  return stripVTControlCharacters(printReport(report)).split('\n');
}

describe('a report for people', () => {
  test('sets what the answers told beside what /stats counted', () => {
    assert.deepEqual(linesOf(makeReport()), [
      'Sent 5,000 events: 4,000 different ones, 1,000 re-sent (0.5 s, 10,000 events/s)',
      'seed 42; tries repeated: 0',
      '',
      '            answers  /stats',
      'received      5,000   5,000',
      'stored        4,000   4,000',
      'duplicates    1,000   1,000',
      'conflicts         0       0',
      'rejected          0       0',
      '',
      'read back: 4,000 of 4,000 different events',
      '',
      '✔ every event is accounted for',
      '',
    ]);
  });

  test('explains what was received beyond what was sent, and what was there before', () => {
    const text = linesOf(
      makeReport({
        stats: { received: 5500, unique_processed: 3000, duplicate_dropped: 2500, conflicts: 0, rejected: 0 },
        log: { added: 3000, fresh: 3000, earlier: 1000, missing: 0, doubled: 0, altered: 0, examples: [] },
      }),
    ).join('\n');
    assert.match(text, /read back: 4,000 of 4,000 different events, 1,000 stored before this run/);
    assert.match(text, /500 were received again or from others/);
  });

  test('names every problem', () => {
    const text = linesOf(
      makeReport({ accounted_for: false, problems: ['not in the log: 1 event of 4,000'] }),
    );
    assert.deepEqual(text.slice(-3), [
      '✘ not every event is accounted for',
      '  not in the log: 1 event of 4,000',
      '',
    ]);
  });

  test('shows what is not known as such', () => {
    const text = linesOf(makeReport({ stats: null, log: null, interrupted: true })).join('\n');
    assert.match(text, /^Stopped after 5,000 events/);
    assert.match(text, /received +5,000 +\?/);
  });
});
