import type { WireGap, WirePublisherGaps } from '../protocol/gaps-wire.ts';
import { integer, optionalText, type Settings } from '../settings.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { CONNECTION_SETTINGS, connect } from './connection.ts';
import { isForProgram, LIMIT_SETTINGS, OUTPUT_SETTINGS, printLines, printTable } from './listing.ts';
import type { Column } from './table.ts';
import { grouped } from './terminal.ts';

const SETTINGS = {
  ...CONNECTION_SETTINGS,
  topic: {
    kind: optionalText,
    fallback: undefined,
    form: 'TOPIC',
    meaning: 'Only publishers of this topic.',
    flagOnly: true,
  },
  source: {
    kind: optionalText,
    fallback: undefined,
    form: 'SOURCE',
    meaning: 'Only publishers of this source.',
    flagOnly: true,
  },
  after: {
    kind: integer(0, Number.MAX_SAFE_INTEGER),
    fallback: undefined as number | undefined,
    form: 'POSITION',
    meaning: 'Only publishers whose first event is above this position.',
    flagOnly: true,
  },
  ...LIMIT_SETTINGS,
  ...OUTPUT_SETTINGS,
} as const satisfies Settings;

const COLUMNS: readonly Column<WirePublisherGaps>[] = [
  { title: 'topic', widthMin: 8, text: ({ topic }) => topic },
  { title: 'source', widthMin: 8, text: ({ source }) => source },
  { title: 'events', align: 'right', text: ({ events }) => grouped(events) },
  { title: 'numbers', text: (publisher) => `${publisher.first_sequence}–${publisher.highest_sequence}` },
  { title: 'missing', align: 'right', text: ({ missing }) => grouped(missing) },
  { title: 'late', align: 'right', text: ({ out_of_order }) => grouped(out_of_order) },
  { title: 'repeated', align: 'right', text: ({ repeated }) => grouped(repeated) },
  { title: 'restarts', align: 'right', text: ({ restart_count }) => grouped(restart_count) },
  { title: 'gaps', widthMin: 12, text: ({ gaps }) => gaps.map(gapText).join(', ') },
];

export const gaps: Command = {
  name: 'gaps',
  summary: 'Shows what publishers have not sent, by the sequences of their events.',
  settings: SETTINGS,
  async run(context) {
    const { url, key, json, limit, topic, source, after } = commandSettings(SETTINGS, context);
    operandsOf(context);
    const client = connect({ url, key }, { retryForMs: 0 });
    const query = { topic, source, after };
    const listing = {
      name: 'publishers',
      path: '/gaps',
      query,
      cursor: 'after',
      limit,
      columns: COLUMNS,
    } as const;
    await (isForProgram({ json }) ? printLines(client, listing) : printTable(client, listing));
    return EXIT.ok;
  },
};

function gapText({ from, to }: WireGap): string {
  return from === to ? `${from}` : `${from}–${to}`;
}
