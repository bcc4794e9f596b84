import type { StatsAnswer } from '../client/index.ts';
import type { Settings } from '../settings.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { CONNECTION_SETTINGS, connect } from './connection.ts';
import { printable, shorten } from './display-text.ts';
import { isForProgram, OUTPUT_SETTINGS } from './listing.ts';
import { print } from './output.ts';
import { dim, grouped, widthOf } from './terminal.ts';

const SETTINGS = { ...CONNECTION_SETTINGS, ...OUTPUT_SETTINGS } as const satisfies Settings;

export const stats: Command = {
  name: 'stats',
  summary: 'Shows the counters of the server.',
  settings: SETTINGS,
  async run(context) {
    const settings = commandSettings(SETTINGS, context);
    operandsOf(context);
    const answer = await connect(settings, { retryForMs: 0 }).stats();
    await print([
      isForProgram(settings)
        ? `${JSON.stringify(answer)}\n`
        : `${statsLines(answer, widthOf(process.stdout)).join('\n')}\n`,
    ]);
    return EXIT.ok;
  },
};

/** The counters under one another, each with what helps to read it. */
export function statsLines(answer: StatsAnswer, width: number): string[] {
  const rows: [name: string, count: number, note?: string][] = [
    ['received', answer.received, 'unique_processed + duplicate_dropped + queued + dead_lettered'],
    ['unique_processed', answer.unique_processed],
    ['duplicate_dropped', answer.duplicate_dropped, `${answer.dedup_rate_percent} %, conflicts included`],
    ['conflicts', answer.conflicts],
    ['rejected', answer.rejected, 'not valid, so never received'],
    ['queued', answer.queued],
    ['dead_lettered', answer.dead_lettered],
    ['topics', answer.topics.length, printable(answer.topics.join(', '))],
    ['uptime_seconds', Math.floor(answer.uptime_seconds)],
  ];
  const nameWidth = Math.max(...rows.map(([name]) => name.length));
  const countWidth = Math.max(...rows.map(([, count]) => grouped(count).length));
  const noteWidth = width - nameWidth - countWidth - 4;
  return rows.map(([name, count, note]) => {
    const counter = `${name.padEnd(nameWidth)}  ${grouped(count).padStart(countWidth)}`;
    return note === undefined ? counter : `${counter}  ${dim(shorten(note, noteWidth))}`;
  });
}
