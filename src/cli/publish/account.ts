import type { Sekali, StatsAnswer } from '../../client/index.ts';
import { grouped } from '../terminal.ts';
import { type LogTally, ReadBack } from './read-back.ts';
import type { Sent } from './send.ts';
import type { Simulation } from './simulation.ts';

/**
 * How the publisher finds out what became of its events.
 *
 * The answers alone prove nothing: one may be lost after its events were stored, and the next try is told "duplicate".
 * Nor do the counters alone: others may publish at the same time, and a counter can be right where an event is gone. So
 * the log itself is read back, from the position where it ended before the run: every event has to be there, once, with
 * the payload that was sent. That costs what a reader costs, and is exact. `/stats` is then held against the log: it must
 * have counted as many new events as the log has new ones, and at least as many received ones as were sent.
 */
export interface Account {
  readonly begin: StatsSpan;
  readonly end: StatsSpan;
  readonly log: LogTally;
}

/**
 * `/stats` before and after the log was looked at. Without other publishers the two are the same, and what is compared
 * with them must be equal; with others, the log was somewhere in between.
 */
export interface StatsSpan {
  readonly before: StatsAnswer;
  readonly after: StatsAnswer;
}

/** How far the server was when the run began. */
export interface Beginning {
  readonly stats: StatsSpan;
  /** Last position of the log. */
  readonly position: number;
}

/** @throws RequestError when the server cannot be asked */
export async function lookBefore(client: Sekali): Promise<Beginning> {
  const [stats, position] = await spanned(client, () => lastPosition(client));
  return { stats, position };
}

/** @throws RequestError when the server cannot be asked */
export async function lookAfter(
  client: Sekali,
  beginning: Beginning,
  simulation: Simulation,
  { distinct }: Sent,
): Promise<Account> {
  const [end, log] = await spanned(client, async () => {
    const readBack = new ReadBack(client, simulation, distinct);
    // What others store from here on is not part of it: else it might never end.
    await readBack.readAdded(beginning.position, await lastPosition(client));
    await readBack.findEarlier(beginning.position);
    return readBack.tally;
  });
  return { begin: beginning.stats, end, log };
}

async function spanned<T>(client: Sekali, look: () => Promise<T>): Promise<[StatsSpan, T]> {
  const before = await client.stats();
  const found = await look();
  return [{ before, after: await client.stats() }, found];
}

async function lastPosition(client: Sekali): Promise<number> {
  const { events } = await client.events({ order: 'desc', limit: 1 });
  return events[0]?.position ?? 0;
}

type Counter = 'received' | 'unique_processed' | 'duplicate_dropped' | 'conflicts' | 'rejected';

/** How much a counter went up from the first event of the run to the last answer; by others too, while it ran. */
export function gained({ begin, end }: Account, counter: Counter): number {
  return end.before[counter] - begin.after[counter];
}

/**
 * Everything that does not agree, in words with numbers; nothing, when every event is accounted for.
 *
 * @param account or why the server could not be asked for it
 */
export function findProblems(sent: Sent, account: Account | Error): string[] {
  const problems = findInAnswers(sent);
  if (account instanceof Error) problems.push(`the server cannot be asked what it has: ${account.message}`);
  else problems.push(...findInLog(sent, account.log), ...findInStats(sent, account));
  return problems;
}

function findInAnswers(sent: Sent): string[] {
  const { unanswered, processed, duplicates, conflicts, rejected } = sent;
  const problems: string[] = [];
  if (sent.failure) problems.push(`no verdict for ${events(unanswered)}: ${sent.failure.message}`);
  if (rejected > 0) problems.push(`rejected: ${events(rejected)}, the first because ${sent.rejection}`);
  if (conflicts > 0) problems.push(`answered as conflicts: ${events(conflicts)}, and nothing sent was one`);
  const answered = sent.events - unanswered;
  const told = processed + duplicates + conflicts + rejected;
  if (told !== answered)
    problems.push(`the answers tell of ${events(told)}, and were given for ${grouped(answered)}`);
  return problems;
}

function findInLog({ distinct, processed }: Sent, log: LogTally): string[] {
  const problems: string[] = [];
  if (log.missing > 0) problems.push(`not in the log: ${events(log.missing)} of ${grouped(distinct)}`);
  if (log.doubled > 0) problems.push(`in the log more than once: ${events(log.doubled)}`);
  if (log.altered > 0) problems.push(`in the log with another payload: ${events(log.altered)}`);
  if (log.examples.length > 0) problems.push(`of these are: ${log.examples.join(', ')}`);
  if (processed > log.fresh) {
    problems.push(`answered as new: ${events(processed)}; new in the log: ${grouped(log.fresh)}`);
  }
  return problems;
}

function findInStats(sent: Sent, account: Account): string[] {
  const { begin, end, log } = account;
  const problems: string[] = [];
  for (const { received, unique_processed, duplicate_dropped, queued, dead_lettered } of [
    end.before,
    end.after,
  ]) {
    const sum = unique_processed + duplicate_dropped + queued + dead_lettered;
    if (received === sum) continue;
    problems.push(`/stats does not add up: ${events(received)} received, ${grouped(sum)} told of`);
    break;
  }
  const received = gained(account, 'received');
  const taken = sent.events - sent.unanswered - sent.rejected;
  if (received < taken) {
    problems.push(`/stats counted too few received: ${events(received)}, and ${grouped(taken)} were taken`);
  }
  const least = end.before.unique_processed - begin.after.unique_processed;
  const most = end.after.unique_processed - begin.before.unique_processed;
  if (log.added < least || log.added > most) {
    const counted = least === most ? events(least) : `${grouped(least)} to ${events(most)}`;
    problems.push(`/stats counted ${counted} as new, and the log has ${grouped(log.added)} new ones`);
  }
  return problems;
}

function events(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'event' : 'events'}`;
}
