import type { WireStoredEvent } from '../client/index.ts';
import { choice, integer, type Kind, optionalText, type Setting, type Settings } from '../settings.ts';
import { answerBytes } from './answer.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { CONNECTION_SETTINGS, connect } from './connection.ts';
import { isForProgram, LIMIT_SETTINGS, OUTPUT_SETTINGS, printTable } from './listing.ts';
import { print } from './output.ts';
import type { Column } from './table.ts';

const position = integer(0, Number.MAX_SAFE_INTEGER);

const SETTINGS = {
  ...CONNECTION_SETTINGS,
  topic: filter(optionalText, 'TOPIC', 'Only events of this topic.'),
  source: filter(optionalText, 'SOURCE', 'Only events of this source.'),
  from: filter(
    optionalText,
    'TIME',
    'Only events with this timestamp or a later one, as 2026-01-31T12:00:00Z.',
  ),
  to: filter(optionalText, 'TIME', 'Only events with an earlier timestamp.'),
  after: filter(position, 'POSITION', 'Only events after this position.'),
  before: filter(position, 'POSITION', 'Only events before this position.'),
  order: filter(
    choice('asc', 'desc'),
    'asc|desc',
    'By position: asc shows the oldest first, which is the default, desc the newest.',
  ),
  offset: filter(position, 'N', 'How many events to pass over first.'),
  ...LIMIT_SETTINGS,
  ...OUTPUT_SETTINGS,
} as const satisfies Settings;

const COLUMNS: readonly Column<WireStoredEvent>[] = [
  { title: 'position', align: 'right', text: ({ position }) => String(position) },
  { title: 'timestamp', text: ({ timestamp }) => timestamp },
  { title: 'topic', widthMin: 8, text: ({ topic }) => topic },
  { title: 'source', widthMin: 8, text: ({ source }) => source },
  { title: 'event_id', widthMin: 12, text: ({ event_id }) => event_id },
  { title: 'payload', widthMin: 16, text: ({ payload }) => JSON.stringify(payload) },
];

/** The client counts its timeout to the end of the answer, and nobody knows how long this one is: 24 days, no less. */
const TIMEOUT_MS = 2 ** 31 - 1;

export const events: Command = {
  name: 'events',
  summary: 'Shows stored events: a table on a terminal, NDJSON in a pipe.',
  settings: SETTINGS,
  async run(context) {
    const { url, key, json, limit, ...query } = commandSettings(SETTINGS, context);
    operandsOf(context);
    const client = connect({ url, key }, { retryForMs: 0, timeoutMs: TIMEOUT_MS });
    const cursor = query.order === 'desc' ? 'before' : 'after';
    if (isForProgram({ json })) await print(answerBytes(await client.eventLines({ ...query, limit })));
    else await printTable(client, { name: 'events', query, cursor, limit, columns: COLUMNS });
    return EXIT.ok;
  },
};

/** A parameter of the query. It is never taken from the environment: there it would hide events from who forgot it. */
function filter<T>(kind: Kind<T>, form: string, meaning: string): Setting<T | undefined> {
  return { kind, fallback: undefined, form, meaning, flagOnly: true };
}
