import type { EventAnswer } from '../client/index.ts';
import { RequestError } from '../client/request-error.ts';
import type { Settings } from '../settings.ts';
import { answerText } from './answer.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { CONNECTION_SETTINGS, connect } from './connection.ts';
import { printable } from './display-text.ts';
import { parseExact } from './exact-json.ts';
import { isForProgram, OUTPUT_SETTINGS, shellWord } from './listing.ts';
import { print } from './output.ts';
import { bold } from './terminal.ts';

const SETTINGS = { ...CONNECTION_SETTINGS, ...OUTPUT_SETTINGS } as const satisfies Settings;

/** What is answered where there is no event to show; the message says which it is. */
const ABSENT = new Set(['event_unknown', 'event_retired']);

export const get: Command = {
  name: 'get',
  summary: 'Shows one event. Exit 3 when there is none: it is not known, or retention has removed it.',
  operands: 'TOPIC EVENT_ID',
  settings: SETTINGS,
  async run(context) {
    const settings = commandSettings(SETTINGS, context);
    const [topic = '', eventId = ''] = operandsOf(context, 'TOPIC', 'EVENT_ID');
    const client = connect(settings, { retryForMs: 0 });
    try {
      const path = `/events/${encodeURIComponent(topic)}/${encodeURIComponent(eventId)}`;
      const text = await answerText(await client.request(path));
      await print([isForProgram(settings) ? oneLine(text) : `${memberLines(text).join('\n')}\n`]);
      return EXIT.ok;
    } catch (error) {
      if (!(error instanceof RequestError) || !ABSENT.has(error.code)) throw error;
      process.stderr.write(`sekali: ${error.message}\n`);
      return EXIT.notFound;
    }
  },
};

/** The answer as it came, on one line: a line break in JSON text is white space, for within a string it is escaped. */
function oneLine(text: string): string {
  return `${text.replace(/[\r\n]/g, ' ')}\n`;
}

/** The answer for people: its members under one another, the payload indented below. */
export function memberLines(text: string): string[] {
  const { payload, receipt: _receipt, conflicts, ...members } = parseExact(text) as EventAnswer;
  const rows = Object.entries(members).map(([name, value]) => [name, String(value)] as const);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${bold(name.padEnd(width))}  ${printable(value)}`);
  lines.push(
    bold('payload'),
    ...JSON.stringify(payload, null, 2)
      .split('\n')
      .map((line) => `  ${printable(line)}`),
  );
  if (conflicts.length > 0) {
    const command = `sekali conflicts --topic ${shellWord(members.topic)} --event-id ${shellWord(members.event_id)}`;
    lines.push(`${bold('conflicts'.padEnd(width))}  ${conflicts.length}, as ${command} shows`);
  }
  return lines;
}
