import { SekaliError } from '../errors.ts';
import type { DeadLettersRequest, WireDeadLetter } from '../protocol/subscriptions-wire.ts';
import { integer, list, optionalText, type Settings, toggle } from '../settings.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { CONNECTION_SETTINGS, connect } from './connection.ts';
import { isForProgram, LIMIT_SETTINGS, OUTPUT_SETTINGS, printLines, printTable } from './listing.ts';
import { print } from './output.ts';
import { refuseFlags } from './subscriptions/unfit-flags.ts';
import type { Column } from './table.ts';
import { grouped } from './terminal.ts';
import { unlessUnknown } from './unknown-subscription.ts';

const LIST_SETTINGS = {
  after: {
    kind: integer(0, Number.MAX_SAFE_INTEGER),
    fallback: undefined as number | undefined,
    form: 'POSITION',
    meaning: 'Of the list, only what is after this position.',
    flagOnly: true,
  },
  ...LIMIT_SETTINGS,
} as const satisfies Settings;

const SELECTION_SETTINGS = {
  position: {
    kind: list('positions', (item) => /^[1-9]\d*$/.test(item) && Number.isSafeInteger(Number(item))),
    fallback: undefined as readonly string[] | undefined,
    form: 'POSITIONS',
    meaning: 'Which to redrive or discard: those at these positions, separated by commas.',
    flagOnly: true,
  },
  topic: {
    kind: optionalText,
    fallback: undefined,
    form: 'TOPIC',
    meaning: 'Which to redrive or discard: those of this topic.',
    flagOnly: true,
  },
  all: {
    kind: toggle,
    fallback: false,
    form: '',
    meaning: 'Which to redrive or discard: all.',
    flagOnly: true,
  },
} as const satisfies Settings;

const SETTINGS = {
  ...CONNECTION_SETTINGS,
  redrive: {
    kind: toggle,
    fallback: false,
    form: '',
    meaning: 'Have them handed out again, as if they had never been tried.',
    flagOnly: true,
  },
  discard: {
    kind: toggle,
    fallback: false,
    form: '',
    meaning: 'Let go of them: they count as acknowledged.',
    flagOnly: true,
  },
  ...SELECTION_SETTINGS,
  ...LIST_SETTINGS,
  ...OUTPUT_SETTINGS,
} as const satisfies Settings;

type Given = ReturnType<typeof commandSettings<typeof SETTINGS>>;

const COLUMNS: readonly Column<WireDeadLetter>[] = [
  { title: 'position', align: 'right', text: ({ position }) => String(position) },
  { title: 'died', text: ({ died_at }) => died_at },
  { title: 'attempts', align: 'right', text: ({ attempts }) => String(attempts) },
  { title: 'topic', widthMin: 8, text: ({ topic }) => topic },
  { title: 'reason', widthMin: 16, text: ({ reason }) => reason },
  { title: 'event_id', widthMin: 12, text: ({ event }) => event?.event_id ?? '(retired)' },
  { title: 'payload', widthMin: 12, text: ({ event }) => (event ? JSON.stringify(event.payload) : '') },
];

export const deadLetters: Command = {
  name: 'dead-letters',
  summary: 'Shows what a subscription has handed out too often; hands it out again, or lets go of it.',
  operands: 'SUBSCRIPTION',
  settings: SETTINGS,
  async run(context) {
    const given = commandSettings(SETTINGS, context);
    const [name = ''] = operandsOf(context, 'SUBSCRIPTION');
    if (given.redrive && given.discard) {
      throw new SekaliError('config_invalid', '--redrive and --discard exclude each other');
    }
    if (!given.redrive && !given.discard) {
      refuseFlags(context, SELECTION_SETTINGS, '--redrive and --discard');
      return await unlessUnknown(() => show(name, given));
    }
    refuseFlags(context, LIST_SETTINGS, 'the list');
    return await unlessUnknown(() => settle(name, selectionOf(given), given));
  },
};

async function show(name: string, { limit, after, ...given }: Given): Promise<number> {
  const client = connect(given, { retryForMs: 0 });
  const path = `/subscriptions/${encodeURIComponent(name)}/dead-letters`;
  const query = { after };
  const listing = { name: 'dead_letters', path, query, cursor: 'after', limit, columns: COLUMNS } as const;
  await (isForProgram(given) ? printLines(client, listing) : printTable(client, listing));
  return EXIT.ok;
}

function selectionOf({ position, topic, all }: Given): DeadLettersRequest {
  const positions = [...new Set(position?.map(Number))];
  const [which, ...others] = [
    ...(positions.length > 0 ? [{ positions }] : []),
    ...(topic === undefined ? [] : [{ topic }]),
    ...(all ? [{ all } as const] : []),
  ];
  if (which !== undefined && others.length === 0) return which;
  throw new SekaliError('config_invalid', 'which of them: one of --position, --topic and --all is needed');
}

async function settle(name: string, which: DeadLettersRequest, given: Given): Promise<number> {
  const calls = connect(given, { retryForMs: 0 }).subscriptions;
  const answer = given.redrive ? await calls.redrive(name, which) : await calls.discard(name, which);
  const told = `${grouped(answer.count)} ${given.redrive ? 'will be handed out again' : 'discarded'}`;
  await print([`${isForProgram(given) ? JSON.stringify(answer) : told}\n`]);
  const missing = 'positions' in which ? which.positions.length - answer.count : 0;
  if (missing === 0) return EXIT.ok;
  process.stderr.write(`sekali: at ${grouped(missing)} of the positions there is no dead letter\n`);
  return EXIT.notFound;
}
