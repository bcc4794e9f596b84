import type { WireConflict } from '../protocol/wire.ts';
import { integer, optionalText, type Settings } from '../settings.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { CONNECTION_SETTINGS, connect } from './connection.ts';
import { isForProgram, LIMIT_SETTINGS, OUTPUT_SETTINGS, printLines, printTable } from './listing.ts';
import type { Column } from './table.ts';

const SETTINGS = {
  ...CONNECTION_SETTINGS,
  topic: {
    kind: optionalText,
    fallback: undefined,
    form: 'TOPIC',
    meaning: 'Only conflicts of this topic.',
    flagOnly: true,
  },
  eventId: {
    kind: optionalText,
    fallback: undefined,
    form: 'EVENT_ID',
    meaning: 'Only conflicts of this event_id.',
    flagOnly: true,
  },
  before: {
    kind: integer(0, Number.MAX_SAFE_INTEGER),
    fallback: undefined as number | undefined,
    form: 'NUMBER',
    meaning: 'Only conflicts with a lower number; the newest come first.',
    flagOnly: true,
  },
  ...LIMIT_SETTINGS,
  ...OUTPUT_SETTINGS,
} as const satisfies Settings;

const COLUMNS: readonly Column<WireConflict>[] = [
  { title: 'number', align: 'right', text: ({ number }) => String(number) },
  { title: 'received', text: ({ received_at }) => received_at },
  { title: 'topic', widthMin: 8, text: ({ topic }) => topic },
  { title: 'event_id', widthMin: 12, text: ({ event_id }) => event_id },
  { title: 'position', align: 'right', text: ({ position }) => String(position) },
  { title: 'refused payload', widthMin: 16, text: ({ payload }) => refused(payload) },
];

export const conflicts: Command = {
  name: 'conflicts',
  summary: 'Shows what was sent under the key of another event, and kept out: the newest first.',
  settings: SETTINGS,
  async run(context) {
    const { url, key, json, limit, topic, eventId, before } = commandSettings(SETTINGS, context);
    operandsOf(context);
    const client = connect({ url, key }, { retryForMs: 0 });
    const query = { topic, event_id: eventId, before };
    const listing = { name: 'conflicts', query, cursor: 'before', limit, columns: COLUMNS } as const;
    await (isForProgram({ json }) ? printLines(client, listing) : printTable(client, listing));
    return EXIT.ok;
  },
};

function refused(payload: WireConflict['payload']): string {
  return payload === null ? '(too large to be kept)' : JSON.stringify(payload);
}
