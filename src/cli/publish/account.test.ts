import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StatsAnswer } from '../../client/index.ts';
import { type Account, findProblems, gained } from './account.ts';
import type { Sent } from './send.ts';

/** 100 events, of which 20 were re-sent: all is well. */
function makeSent(change: Partial<Sent> = {}): Sent {
  return {
    events: 100,
    distinct: 80,
    unanswered: 0,
    processed: 80,
    duplicates: 20,
    conflicts: 0,
    rejected: 0,
    rejection: undefined,
    failure: undefined,
    ...change,
  };
}

function makeStats(unique_processed: number, duplicate_dropped: number): StatsAnswer {
  return {
    received: unique_processed + duplicate_dropped,
    unique_processed,
    duplicate_dropped,
    conflicts: 0,
    rejected: 0,
    queued: 0,
    dead_lettered: 0,
    dedup_rate_percent: 0,
    topics: [],
    uptime_seconds: 1,
  };
}

/** The server had 1,000 events and 500 duplicates before, and has the run's now. */
function makeAccount(change: { log?: Partial<Account['log']>; end?: Partial<Account['end']> } = {}): Account {
  const [before, after] = [makeStats(1000, 500), makeStats(1080, 520)];
  return {
    begin: { before, after: before },
    end: { before: after, after, ...change.end },
    log: {
      added: 80,
      fresh: 80,
      earlier: 0,
      missing: 0,
      doubled: 0,
      altered: 0,
      examples: [],
      ...change.log,
    },
  };
}

describe('an account', () => {
  test('without a problem has none', () => {
    assert.deepEqual(findProblems(makeSent(), makeAccount()), []);
  });

  test('counts from the end of the first look to the beginning of the second', () => {
    const quiet = makeAccount();
    const account = {
      ...quiet,
      begin: { before: makeStats(990, 500), after: makeStats(1000, 500) },
      end: { before: makeStats(1080, 520), after: makeStats(1081, 520) },
    };
    assert.equal(gained(account, 'unique_processed'), 80);
  });

  test('agrees when an answer was lost: more were received, and fewer were told to be new', () => {
    const after = makeStats(1080, 550);
    const account = makeAccount({ end: { before: after, after } });
    assert.deepEqual(findProblems(makeSent({ processed: 50, duplicates: 50 }), account), []);
  });

  test('agrees when others publish while the log is read', () => {
    const account = makeAccount({
      log: { added: 95 },
      end: { before: makeStats(1090, 530), after: makeStats(1100, 540) },
    });
    assert.deepEqual(findProblems(makeSent(), account), []);
  });

  test('without others must be equal: one event more or less in the counters is a problem', () => {
    for (const unique of [1079, 1081]) {
      const after = makeStats(unique, 521);
      assert.match(
        findProblems(makeSent(), makeAccount({ end: { before: after, after } })).join('\n'),
        /^\/stats counted (79|81) events as new, and the log has 80 new ones$/,
      );
    }
  });

  test('with others must still be possible', () => {
    const account = makeAccount({
      log: { added: 89 },
      end: { before: makeStats(1090, 530), after: makeStats(1100, 540) },
    });
    assert.match(findProblems(makeSent(), account).join('\n'), /counted 90 to 100 events as new/);
  });

  test('of a server that called an event new twice is a problem', () => {
    assert.deepEqual(findProblems(makeSent({ processed: 81, duplicates: 19 }), makeAccount()), [
      'answered as new: 81 events; new in the log: 80',
    ]);
  });

  test('of answers that leave events out is a problem', () => {
    assert.deepEqual(findProblems(makeSent({ duplicates: 19 }), makeAccount()), [
      'the answers tell of 99 events, and were given for 100',
    ]);
  });

  test('that cannot be had is a problem of its own', () => {
    const sent = makeSent({ unanswered: 10, duplicates: 10, failure: new Error('no answer from there') });
    assert.deepEqual(findProblems(sent, new Error('it is away')), [
      'no verdict for 10 events: no answer from there',
      'the server cannot be asked what it has: it is away',
    ]);
  });
});
