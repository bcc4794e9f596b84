import type { EventsAnswer, WireStoredEvent } from '../client/index.ts';
import { SekaliError } from '../errors.ts';
import { parseInstant } from '../instant.ts';
import { optionalText, type Settings } from '../settings.ts';
import { isPlain } from '../topic-filter.ts';
import { type Command, commandSettings, EXIT } from './command.ts';
import { CONNECTION_SETTINGS, connect } from './connection.ts';
import { printable, shorten } from './display-text.ts';
import { FOLLOW_SETTINGS } from './follow-settings.ts';
import { isForProgram, OUTPUT_SETTINGS } from './listing.ts';
import { Outage } from './outage.ts';
import { print } from './output.ts';
import { stopSignal } from './stop-signal.ts';
import { bold, dim, widthOf } from './terminal.ts';

const SETTINGS = {
  ...CONNECTION_SETTINGS,
  ...FOLLOW_SETTINGS,
  since: {
    kind: optionalText,
    fallback: undefined,
    form: 'TIME',
    meaning:
      'Begin where the first event has this timestamp or a later one, as 2026-01-31T12:00:00Z; those behind it come whatever theirs is.',
    flagOnly: true,
  },
  ...OUTPUT_SETTINGS,
} as const satisfies Settings;

type TailSettings = ReturnType<typeof commandSettings<typeof SETTINGS>>;

export const tail: Command = {
  name: 'tail',
  summary: 'Follows what is stored, as of orders.>: lines on a terminal, NDJSON in a pipe. Ctrl-C ends it.',
  operands: '[TOPIC-PATTERN]',
  settings: SETTINGS,
  async run(context) {
    const settings = commandSettings(SETTINGS, context);
    const [pattern = '>', ...others] = context.operands;
    if (others.length > 0) {
      throw new SekaliError(
        'config_invalid',
        `expected one pattern of topics, got ${context.operands.join(' ')}`,
      );
    }
    if (settings.after !== undefined && settings.since !== undefined) {
      throw new SekaliError('config_invalid', '--after and --since exclude each other');
    }
    const after = await beginning(pattern, settings);
    const stop = stopSignal();
    const outage = new Outage();
    const client = connect(settings, { onRetry: ({ message }) => outage.began(message) });
    const options = { after, source: settings.source, signal: stop.signal };
    const line = isForProgram(settings) ? (text: string) => `${text}\n` : printLine;
    const items = client.tailText(pattern, options);
    const begun = after === undefined ? items : fromFirst(items, settings.since);
    await print(lines(begun, line, outage));
    stop.release();
    return EXIT.ok;
  },
};

/** Asks the server once whether it would answer at all: whoever has mistyped its address must not wait for it. */
async function beginning(
  pattern: string,
  { after, since, source, ...connection }: TailSettings,
): Promise<number | undefined> {
  const client = connect(connection, { retryForMs: 0 });
  if (since === undefined) {
    await client.topics({ limit: 1 });
    return after;
  }
  // There is no search by pattern: with a wildcard it is where any topic has such an event, which is never too late (`fromFirst`).
  const topic = isPlain(pattern) ? pattern : undefined;
  for (let next: number | null = 0; next !== null; ) {
    const page: EventsAnswer = await client.events({ topic, source, from: since, after: next, limit: 1 });
    const [first] = page.events;
    if (first !== undefined) return first.position - 1;
    next = page.next;
  }
  return undefined;
}

/** Without those before the first of this time or a later one. */
async function* fromFirst<Item extends { text: string }>(
  items: AsyncIterable<Item>,
  since: string | undefined,
): AsyncGenerator<Item> {
  let from = since === undefined ? undefined : parseInstant(since);
  for await (const item of items) {
    if (from !== undefined) {
      const { timestamp } = JSON.parse(item.text) as WireStoredEvent;
      if ((parseInstant(timestamp) ?? from) < from) continue;
      from = undefined;
    }
    yield item;
  }
}

async function* lines(
  items: AsyncIterable<{ text: string }>,
  line: (text: string) => string,
  outage: Outage,
): AsyncGenerator<string> {
  for await (const { text } of items) {
    outage.ended();
    yield line(text);
  }
}

/** Time, topic, source and id, and what of the payload the terminal has room for. */
function printLine(text: string): string {
  const { timestamp, topic, source, event_id, payload } = JSON.parse(text) as WireStoredEvent;
  const head = [timestamp, topic, source, event_id].map(printable);
  const used = head.join('  ').length + 2;
  const room = Math.max(16, widthOf(process.stdout) - used);
  const shown = shorten(printable(JSON.stringify(payload).slice(0, room * 4)), room);
  const [time = '', name = '', ...rest] = head;
  return `${[dim(time), bold(name), ...rest, shown].join('  ')}\n`;
}
