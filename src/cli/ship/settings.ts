import { SekaliError } from '../../errors.ts';
import { checkName } from '../../event.ts';
import {
  bytes,
  integer,
  optionalText,
  readSettings,
  type Settings,
  toggle,
  type Values,
} from '../../settings.ts';
import type { CommandContext } from '../command.ts';
import { CONNECTION_SETTINGS } from '../connection.ts';
import { OUTPUT_SETTINGS } from '../listing.ts';
import { sourceOf } from './line-event.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** How long a server that cannot be reached is asked again when a file is shipped once: it can be shipped later. */
export const RETRY_ONCE_FOR_MS = 300_000;

export const SHIP_SETTINGS = {
  ...CONNECTION_SETTINGS,
  topic: {
    kind: optionalText,
    fallback: undefined,
    form: 'TOPIC',
    meaning: 'The topic of the events. Required.',
  },
  follow: {
    kind: toggle,
    fallback: false,
    form: '',
    meaning: 'Go on as the files grow, through rotation and truncation, until SIGTERM or SIGINT.',
  },
  source: {
    kind: optionalText,
    fallback: undefined,
    form: 'SOURCE',
    meaning: "The source of the events. Without it, the file's name.",
  },
  sourceField: {
    kind: optionalText,
    fallback: undefined,
    form: 'PATH',
    meaning: 'The member of JSON lines that names the source, as host or log.host.',
  },
  idField: {
    kind: optionalText,
    fallback: undefined,
    form: 'PATH',
    meaning: 'The member of JSON lines that is the event_id. A line without it keeps the id of its content.',
  },
  timeField: {
    kind: optionalText,
    fallback: undefined,
    form: 'PATH',
    meaning: 'The member of JSON lines that is the timestamp. Without it, the usual names are tried.',
  },
  identity: {
    kind: optionalText,
    fallback: undefined,
    form: 'TEXT',
    meaning:
      'Tells files apart that begin with the same lines. Give the same text whenever a file is shipped.',
  },
  batchLines: {
    kind: integer(1, 10_000),
    fallback: 500,
    form: 'LINES',
    meaning: 'Lines in one request.',
  },
  batchBytes: {
    kind: bytes(KIB, 256 * MIB),
    fallback: MIB,
    form: 'BYTES',
    meaning: 'Size of a request at which no further line is put into it.',
  },
  lineBytesMax: {
    kind: bytes(KIB, 256 * MIB),
    fallback: 16 * MIB,
    form: 'BYTES',
    meaning: 'A longer line is not held in memory, but reported. The server has a limit of its own.',
  },
  pollMs: {
    kind: integer(1, 3_600_000),
    fallback: 250,
    form: 'MS',
    meaning: 'With --follow, the time between two looks at a file.',
  },
  retryForMs: {
    kind: integer(0, Number.MAX_SAFE_INTEGER),
    fallback: undefined as number | undefined,
    form: 'MS',
    meaning: `How long one request is tried again. Without it: ${RETRY_ONCE_FOR_MS}; with --follow, without end.`,
  },
  state: {
    kind: optionalText,
    fallback: undefined,
    form: 'DIR',
    meaning:
      'Where checkpoints are kept. Without it: $XDG_STATE_HOME/sekali/ship or ~/.local/state/sekali/ship.',
  },
  noCheckpoint: {
    kind: toggle,
    fallback: false,
    form: '',
    meaning: 'Neither use checkpoints nor write them: every file is shipped from its start.',
  },
  ...OUTPUT_SETTINGS,
} as const satisfies Settings;

export type ShipSettings = Values<typeof SHIP_SETTINGS> & { readonly topic: string };

/** @throws SekaliError `config_invalid` with every problem */
export function shipSettings(context: CommandContext): ShipSettings {
  const { values, problems } = readSettings(SHIP_SETTINGS, context);
  const { topic, source } = values;
  if (context.operands.length === 0) problems.push('name at least one file, or - for standard input');
  if (topic === undefined) problems.push('--topic is required');
  for (const [name, value] of Object.entries({ topic, source })) {
    const rejection = value === undefined ? undefined : checkName(name, value);
    if (rejection) problems.push(`--${rejection.detail}`);
  }
  const nameless = source === undefined ? context.operands.filter((file) => !isSource(sourceOf(file))) : [];
  for (const file of nameless) problems.push(`--source is required: ${JSON.stringify(file)} cannot be one`);
  if (problems.length > 0) throw new SekaliError('config_invalid', problems.join('\n'), { problems });
  return { ...values, topic: topic! };
}

function isSource(name: string): boolean {
  return checkName('source', name) === undefined;
}
