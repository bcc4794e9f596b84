import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Command, parseCommandLine } from './command.ts';
import { deadLetters } from './dead-letters.ts';
import { listen } from './listen.ts';
import { replay } from './replay.ts';
import { subscriptions } from './subscriptions.ts';

/** Nobody is there: what is asked of a server fails in another way. */
const env = { SEKALI_URL: 'http://127.0.0.1:1' };

test('a command line that is wrong is refused before anything is done', async () => {
  for (const [args, told] of [
    [['subscriptions', 'put'], /expected sekali subscriptions \[NAME\]/],
    [['subscriptions', 'one', 'two'], /expected sekali subscriptions \[NAME\]/],
    [['subscriptions', 'rotate-secret'], /expected sekali subscriptions \[NAME\]/],
    [['subscriptions', 'one', '--overlap-ms', '1'], /--overlap-ms is for subscriptions rotate-secret only/],
    [['subscriptions', 'rotate-secret', 'one', '--overlap-ms', '-1'], /--overlap-ms must be/],
    [['subscriptions', 'put', 'one'], /put needs --topics/],
    [['subscriptions', 'put', 'one', '--topics', 'a.>.b'], /--topics must be patterns of topics/],
    [['subscriptions', 'put', 'one', '--topics', 'a', '--if-match', 'x'], /--if-match must be a version, as/],
    [['subscriptions', 'put', 'one', '--topics', 'a', '--limit', '1'], /--limit is for the list only/],
    [
      ['subscriptions', 'one', '--ordered', '--topics', 'a'],
      /--topics, --ordered are for subscriptions put only/,
    ],
    [['dead-letters', 'one', '--all'], /--all is for --redrive and --discard only/],
    [['dead-letters', 'one', '--redrive'], /one of --position, --topic and --all/],
    [['dead-letters', 'one', '--redrive', '--all', '--topic', 'a'], /one of --position, --topic and --all/],
    [['dead-letters', 'one', '--redrive', '--discard', '--all'], /exclude each other/],
    [['dead-letters', 'one', '--discard', '--position', '0'], /--position must be positions/],
    [['replay', 'one', '--yes'], /--to is needed: earliest, latest, POSITION, TIME/],
    [['replay', 'one', '--to', 'yesterday', '--yes'], /--to must be earliest, latest, a position, or a time/],
    [['listen', '--forward-to', 'http://localhost:1'], /expected TOPIC-PATTERN, got none/],
    [['listen', 'orders'], /--forward-to is needed/],
    [['listen', 'a.>.b', '--forward-to', 'http://localhost:1'], /> must be the last word/],
    [['listen', 'a', '--forward-to', 'http://me:pw@localhost:1'], /a URL without name and password/],
    [
      ['listen', 'a', '--forward-to', 'http://localhost:1', '--webhook-secret', 'hunter2'],
      /--webhook-secret must be whsec_ and base64$/,
    ],
  ] satisfies [string[], RegExp][]) {
    const [name = '', ...rest] = args;
    const command = COMMANDS[name]!;
    await assert.rejects(
      async () => await command.run({ ...parseCommandLine(rest, command.settings), env }),
      { code: 'config_invalid', message: told },
      args.join(' '),
    );
  }
});

const COMMANDS: Readonly<Record<string, Command>> = {
  subscriptions,
  'dead-letters': deadLetters,
  replay,
  listen,
};
