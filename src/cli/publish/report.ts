import { layOut } from '../table.ts';
import { bold, dim, green, grouped, red, yellow } from '../terminal.ts';
import { type Account, findProblems, gained } from './account.ts';
import type { LogTally } from './read-back.ts';
import type { Sent } from './send.ts';

export interface Run {
  readonly url: string;
  readonly seed: number;
  readonly sent: Sent;
  /** Or why the server could not be asked. */
  readonly account: Account | Error;
  /** Tries that failed and were repeated. */
  readonly retries: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** It was stopped before all was sent. */
  readonly interrupted: boolean;
}

/** What a run came to: one line of JSON in a pipe. Users may rely on its members. */
export interface Report {
  url: string;
  seed: number;
  sent: number;
  distinct: number;
  resent: number;
  unanswered: number;
  retries: number;
  seconds: number;
  events_per_second: number;
  interrupted: boolean;
  /** As told by the answers that arrived. */
  answers: { processed: number; duplicates: number; conflicts: number; rejected: number };
  /** How much each counter went up. Received goes beyond sent where a lost answer made the publisher send again. */
  stats: {
    received: number;
    unique_processed: number;
    duplicate_dropped: number;
    conflicts: number;
    rejected: number;
  } | null;
  log: LogTally | null;
  accounted_for: boolean;
  problems: string[];
}

export function makeReport({ url, seed, sent, account, retries, seconds, interrupted }: Run): Report {
  const known = account instanceof Error ? undefined : account;
  const problems = findProblems(sent, account);
  return {
    url,
    seed,
    sent: sent.events,
    distinct: sent.distinct,
    resent: sent.events - sent.distinct,
    unanswered: sent.unanswered,
    retries,
    seconds: Math.round(seconds * 1000) / 1000,
    events_per_second: Math.round((sent.events - sent.unanswered) / Math.max(seconds, 0.001)),
    interrupted,
    answers: {
      processed: sent.processed,
      duplicates: sent.duplicates,
      conflicts: sent.conflicts,
      rejected: sent.rejected,
    },
    stats: known
      ? {
          received: gained(known, 'received'),
          unique_processed: gained(known, 'unique_processed'),
          duplicate_dropped: gained(known, 'duplicate_dropped'),
          conflicts: gained(known, 'conflicts'),
          rejected: gained(known, 'rejected'),
        }
      : null,
    log: known?.log ?? null,
    accounted_for: problems.length === 0,
    problems,
  };
}

/** The report for people. */
export function printReport(report: Report): string {
  const { sent, distinct, resent, seconds, events_per_second, retries, seed, interrupted } = report;
  const speed = `${seconds.toFixed(1)} s, ${grouped(events_per_second)} events/s`;
  const title = interrupted
    ? yellow(`Stopped after ${grouped(sent)} events`)
    : bold(`Sent ${grouped(sent)} events`);
  return [
    `${title}: ${grouped(distinct)} different ones, ${grouped(resent)} re-sent (${speed})`,
    dim(`seed ${seed}; tries repeated: ${grouped(retries)}`),
    '',
    ...printFigures(report),
    '',
    ...verdict(report),
    '',
  ].join('\n');
}

interface Figures {
  name: string;
  told: number;
  counted: number | undefined;
}

function printFigures({ sent, unanswered, answers, stats, log, distinct }: Report): string[] {
  const rows: Figures[] = [
    { name: 'received', told: sent - unanswered - answers.rejected, counted: stats?.received },
    { name: 'stored', told: answers.processed, counted: stats?.unique_processed },
    // /stats counts a conflict among the duplicates.
    {
      name: 'duplicates',
      told: answers.duplicates + answers.conflicts,
      counted: stats?.duplicate_dropped,
    },
    { name: 'conflicts', told: answers.conflicts, counted: stats?.conflicts },
    { name: 'rejected', told: answers.rejected, counted: stats?.rejected },
  ];
  const table = layOut<Figures>(
    [
      { title: '', text: ({ name }) => name },
      { title: 'answers', align: 'right', text: ({ told }) => grouped(told) },
      {
        title: '/stats',
        align: 'right',
        text: ({ counted }) => (counted === undefined ? '?' : grouped(counted)),
      },
    ],
    rows,
    80,
  );
  if (!stats || !log) return table;
  const again = stats.received - (sent - unanswered - answers.rejected);
  const notes = [
    `read back: ${grouped(log.fresh + log.earlier)} of ${grouped(distinct)} different events${log.earlier > 0 ? `, ${grouped(log.earlier)} stored before this run` : ''}`,
  ];
  if (again > 0) {
    notes.push(`${grouped(again)} were received again or from others: a lost answer is followed by a retry`);
  }
  return [...table, '', ...notes];
}

function verdict({ accounted_for, problems }: Report): string[] {
  if (accounted_for) return [green('✔ every event is accounted for')];
  return [red('✘ not every event is accounted for'), ...problems.map((problem) => `  ${problem}`)];
}
