import type { WireTopic } from '../protocol/wire.ts';
import { optionalText, type Settings } from '../settings.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { CONNECTION_SETTINGS, connect } from './connection.ts';
import { isForProgram, LIMIT_SETTINGS, OUTPUT_SETTINGS, printLines, printTable } from './listing.ts';
import type { Column } from './table.ts';
import { grouped } from './terminal.ts';

const SETTINGS = {
  ...CONNECTION_SETTINGS,
  after: {
    kind: optionalText,
    fallback: undefined,
    form: 'TOPIC',
    meaning: 'Only topics whose name comes after this one.',
    flagOnly: true,
  },
  ...LIMIT_SETTINGS,
  ...OUTPUT_SETTINGS,
} as const satisfies Settings;

const COLUMNS: readonly Column<WireTopic>[] = [
  { title: 'topic', widthMin: 16, text: ({ topic }) => topic },
  { title: 'events', align: 'right', text: ({ events }) => grouped(events) },
  { title: 'retired', align: 'right', text: ({ retired }) => grouped(retired) },
  { title: 'duplicates', align: 'right', text: ({ duplicates }) => grouped(duplicates) },
  { title: 'conflicts', align: 'right', text: ({ conflicts }) => grouped(conflicts) },
  { title: 'positions', text: (topic) => `${topic.first_position}–${topic.last_position}` },
  { title: 'last stored', text: ({ last_at }) => last_at },
];

export const topics: Command = {
  name: 'topics',
  summary: 'Lists the topics and what each holds.',
  settings: SETTINGS,
  async run(context) {
    const { url, key, json, limit, after } = commandSettings(SETTINGS, context);
    operandsOf(context);
    const client = connect({ url, key }, { retryForMs: 0 });
    const listing = { name: 'topics', query: { after }, cursor: 'after', limit, columns: COLUMNS } as const;
    await (isForProgram({ json }) ? printLines(client, listing) : printTable(client, listing));
    return EXIT.ok;
  },
};
