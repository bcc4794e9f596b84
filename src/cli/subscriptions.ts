import { type PutOptions, RequestError, type SubscriptionCalls } from '../client/index.ts';
import { SekaliError } from '../errors.ts';
import { WEBHOOK_BOUNDS, type WireWebhook } from '../protocol/subscriptions-wire.ts';
import { integer, optionalText, type Settings } from '../settings.ts';
import { type Command, type CommandContext, commandSettings, EXIT } from './command.ts';
import { CONNECTION_SETTINGS, connect } from './connection.ts';
import { isForProgram, LIMIT_SETTINGS, OUTPUT_SETTINGS, printLines, printTable } from './listing.ts';
import { print } from './output.ts';
import { DEFINITION_SETTINGS, definitionOf } from './subscriptions/definition.ts';
import { COLUMNS, subscriptionLines } from './subscriptions/show.ts';
import { refuseFlags } from './subscriptions/unfit-flags.ts';
import { bold, grouped } from './terminal.ts';
import { unlessUnknown } from './unknown-subscription.ts';

const LIST_SETTINGS = {
  after: {
    kind: optionalText,
    fallback: undefined,
    form: 'NAME',
    meaning: 'Of the list, only subscriptions whose name comes after this one.',
    flagOnly: true,
  },
  ...LIMIT_SETTINGS,
} as const satisfies Settings;

const { overlapMs } = WEBHOOK_BOUNDS;

const ROTATION_SETTINGS = {
  overlapMs: {
    kind: integer(overlapMs.min, overlapMs.max),
    fallback: undefined as number | undefined,
    form: 'MS',
    meaning: `For rotate-secret: for how long requests are signed with the old secret too. [${overlapMs.fallback}]`,
    flagOnly: true,
  },
} as const satisfies Settings;

const SETTINGS = {
  ...CONNECTION_SETTINGS,
  ...DEFINITION_SETTINGS,
  ...ROTATION_SETTINGS,
  ...LIST_SETTINGS,
  ...OUTPUT_SETTINGS,
} as const satisfies Settings;

type Given = ReturnType<typeof commandSettings<typeof SETTINGS>>;

const FORM =
  'sekali subscriptions [NAME], subscriptions put NAME --topics …, subscriptions remove NAME, or subscriptions rotate-secret NAME';

const ACTIONS = { list, show, put, remove, 'rotate-secret': rotateSecret };

export const subscriptions: Command = {
  name: 'subscriptions',
  summary:
    'Lists subscriptions, shows one with its lag, makes or changes one, removes one, gives its webhook another secret.',
  operands: '[NAME] | put NAME | remove NAME | rotate-secret NAME',
  settings: SETTINGS,
  async run(context) {
    const given = commandSettings(SETTINGS, context);
    const { action, name } = readOperands(context);
    if (action !== 'put') refuseFlags(context, DEFINITION_SETTINGS, 'subscriptions put');
    if (action !== 'list') refuseFlags(context, LIST_SETTINGS, 'the list');
    if (action !== 'rotate-secret') refuseFlags(context, ROTATION_SETTINGS, 'subscriptions rotate-secret');
    return await unlessUnknown(() => ACTIONS[action](given, name));
  },
};

function readOperands({ operands }: CommandContext): { action: keyof typeof ACTIONS; name: string } {
  const [first, second, ...others] = operands;
  if (first === undefined) return { action: 'list', name: '' };
  if (first === 'put' || first === 'remove' || first === 'rotate-secret') {
    if (second !== undefined && others.length === 0) return { action: first, name: second };
  } else if (second === undefined) return { action: 'show', name: first };
  throw new SekaliError('config_invalid', `expected ${FORM}, got subscriptions ${operands.join(' ')}`);
}

async function list({ limit, after, ...given }: Given): Promise<number> {
  const client = connect(given, { retryForMs: 0 });
  const listing = {
    name: 'subscriptions',
    query: { after },
    cursor: 'after',
    limit,
    columns: COLUMNS,
  } as const;
  await (isForProgram(given) ? printLines(client, listing) : printTable(client, listing));
  return EXIT.ok;
}

async function show(given: Given, name: string): Promise<number> {
  const answer = await connect(given, { retryForMs: 0 }).subscriptions.get(name);
  await print([
    isForProgram(given) ? `${JSON.stringify(answer)}\n` : `${subscriptionLines(answer).join('\n')}\n`,
  ]);
  return EXIT.ok;
}

async function put(given: Given, name: string): Promise<number> {
  const { topics = [] } = given;
  if (topics.length === 0) {
    throw new SekaliError('config_invalid', "put needs --topics, as --topics 'orders.>'");
  }
  const calls = connect(given, { retryForMs: 0 }).subscriptions;
  const found = await withWebhook(calls, name);
  const definition = definitionOf({ ...given, topics }, found?.webhook);
  const { isNew, subscription } = await calls.put(name, definition, conditionOf(given, found?.version));
  process.stderr.write(isNew ? 'made\n' : 'it was there: it has this definition now, and keeps its place\n');
  if (!isNew && given.start !== undefined) {
    process.stderr.write('--start has changed nothing: sekali replay moves a subscription that is there\n');
  }
  await print([
    isForProgram(given)
      ? `${JSON.stringify(subscription)}\n`
      : `${subscriptionLines(subscription).join('\n')}\n`,
  ]);
  return EXIT.ok;
}

/** @param seen the version of what part of the definition was taken from: who has changed that meanwhile is not undone */
function conditionOf({ ifMatch }: Given, seen: string | undefined): PutOptions {
  return ifMatch === 'none' ? { ifNoneMatch: '*' } : { ifMatch: ifMatch ?? seen };
}

/**
 * What is there, if it has a webhook. Of one without, no version is told: to put on that has a webhook made of what consumers fetch from,
 * which is for people to say.
 */
async function withWebhook(
  calls: SubscriptionCalls,
  name: string,
): Promise<{ webhook: WireWebhook; version: string } | undefined> {
  try {
    const { webhook, version } = await calls.get(name);
    return webhook && { webhook, version };
  } catch (error) {
    if (error instanceof RequestError && error.code === 'subscription_unknown') return undefined;
    throw error;
  }
}

async function remove(given: Given, name: string): Promise<number> {
  await connect(given, { retryForMs: 0 }).subscriptions.remove(name);
  process.stderr.write('removed; its events stay\n');
  return EXIT.ok;
}

async function rotateSecret({ overlapMs, ...given }: Given, name: string): Promise<number> {
  const calls = connect(given, { retryForMs: 0 }).subscriptions;
  const request = overlapMs === undefined ? {} : { overlap_ms: overlapMs };
  const answer = await calls.rotateSecret(name, request);
  const until = `requests are signed with the old one too for ${grouped(answer.overlap_ms)} ms`;
  const told = `${bold('secret')}  ${answer.secret} (never shown again)\n${until}`;
  await print([`${isForProgram(given) ? JSON.stringify(answer) : told}\n`]);
  return EXIT.ok;
}
