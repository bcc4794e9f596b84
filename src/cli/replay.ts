import { createInterface } from 'node:readline/promises';
import type { SubscriptionCalls } from '../client/index.ts';
import { SekaliError } from '../errors.ts';
import type { SeekAnswer, WireStart } from '../protocol/subscriptions-wire.ts';
import { type Settings, toggle } from '../settings.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { CONNECTION_SETTINGS, connect } from './connection.ts';
import { isForProgram, OUTPUT_SETTINGS } from './listing.ts';
import { print } from './output.ts';
import { PLACE_FORM, place } from './place.ts';
import { grouped, isInteractive } from './terminal.ts';
import { unlessUnknown } from './unknown-subscription.ts';

const SETTINGS = {
  ...CONNECTION_SETTINGS,
  to: {
    kind: place,
    fallback: undefined as WireStart | undefined,
    form: PLACE_FORM,
    meaning:
      'Where to: before the first event, behind the last one, after a position, or before what was stored at a time or later.',
    flagOnly: true,
  },
  dryRun: {
    kind: toggle,
    fallback: false,
    form: '',
    meaning: 'Only tell what would be.',
    flagOnly: true,
  },
  yes: {
    kind: toggle,
    fallback: false,
    form: '',
    meaning: 'Do not ask. Where no terminal is, it is needed.',
    flagOnly: true,
  },
  ...OUTPUT_SETTINGS,
} as const satisfies Settings;

/** All matching events may have to be counted: 24 days, no less. */
const COUNT_MS = 2 ** 31 - 1;

export const replay: Command = {
  name: 'replay',
  summary: 'Moves a subscription to another place, back or forth: what is above it is handed out again.',
  operands: 'SUBSCRIPTION',
  settings: SETTINGS,
  async run(context) {
    const { to, dryRun, yes, json, ...connection } = commandSettings(SETTINGS, context);
    const [name = ''] = operandsOf(context, 'SUBSCRIPTION');
    if (to === undefined) {
      throw new SekaliError('config_invalid', `--to is needed: ${PLACE_FORM.split('|').join(', ')}`);
    }
    if (!dryRun && !yes && !(isInteractive(process.stdin) && isInteractive(process.stdout))) {
      throw new SekaliError('config_invalid', 'where nobody can be asked, --yes or --dry-run is needed');
    }
    return await unlessUnknown(async () => {
      const calls = connect(connection, { retryForMs: 0, timeoutMs: COUNT_MS }).subscriptions;
      if (!dryRun && !yes && !(await confirmed(calls, name, to))) {
        process.stderr.write('nothing was changed\n');
        return EXIT.failed;
      }
      const answer = await calls.seek(name, { to, dry_run: dryRun });
      await print([`${isForProgram({ json }) ? JSON.stringify(answer) : told(answer)}\n`]);
      return EXIT.ok;
    });
  },
};

/** Tells what it would be, and asks. More events may have come when it is done. */
async function confirmed(calls: SubscriptionCalls, name: string, to: WireStart): Promise<boolean> {
  const answer = await calls.seek(name, { to, dry_run: true });
  await print([
    `${told(answer)}\nWhat consumers hold is given up, and dead letters after that position are handed out too.\n`,
  ]);
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  // An input that ends, or Ctrl-C, is no yes.
  const ended = new Promise<undefined>((resolve) => {
    lines.once('close', () => resolve(undefined));
  });
  try {
    const reply = await Promise.race([lines.question('Move it? (y/N) '), ended]);
    if (reply === undefined) process.stdout.write('\n');
    return /^y(es)?$/i.test(reply?.trim() ?? '');
  } finally {
    lines.close();
  }
}

function told({ cursor, events, dry_run }: SeekAnswer): string {
  const count = `${grouped(events)} ${events === 1 ? 'event' : 'events'}`;
  return `${count} after position ${cursor} ${dry_run ? 'would be' : 'will be'} handed out`;
}
