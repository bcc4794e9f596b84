import { SekaliError } from '../errors.ts';
import { integer, type Settings, type Values } from '../settings.ts';
import { patternRule } from '../topic-filter.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { CONNECTION_SETTINGS, connect } from './connection.ts';
import { FOLLOW_SETTINGS } from './follow-settings.ts';
import { type Forwarded, Forwarder } from './listen/forwarder.ts';
import { keptSecret, secretKind } from './listen/secret.ts';
import { targetUrl } from './listen/target-url.ts';
import { tryLine } from './listen/try-line.ts';
import { isForProgram, OUTPUT_SETTINGS } from './listing.ts';
import { Outage } from './outage.ts';
import { print } from './output.ts';
import { stopSignal } from './stop-signal.ts';
import { dim } from './terminal.ts';

const SETTINGS = {
  ...CONNECTION_SETTINGS,
  forwardTo: {
    kind: targetUrl,
    fallback: undefined as string | undefined,
    form: 'URL',
    meaning: 'Where each event is posted to, as http://localhost:3000/hooks.',
    flagOnly: true,
  },
  ...FOLLOW_SETTINGS,
  retries: {
    kind: integer(0, 20),
    fallback: 3,
    form: 'N',
    meaning:
      'How often an event that was not taken is posted again, after half a second and twice as long each time.',
    flagOnly: true,
  },
  timeoutMs: {
    kind: integer(100, 86_400_000),
    fallback: 15_000,
    form: 'MS',
    meaning: 'Time to answer; more of it, where somebody looks on in a debugger.',
    flagOnly: true,
  },
  webhookSecret: {
    kind: secretKind,
    fallback: undefined as string | undefined,
    form: 'SECRET',
    meaning:
      'What to sign with. Without it, with a secret that is made the first time and kept for this user.',
    secret: true,
  },
  ...OUTPUT_SETTINGS,
} as const satisfies Settings;

export const listen: Command = {
  name: 'listen',
  summary: 'Posts events to a URL as they come, signed as webhooks are: for a receiver in development.',
  operands: 'TOPIC-PATTERN',
  settings: SETTINGS,
  async run(context) {
    const given = commandSettings(SETTINGS, context);
    const [pattern = ''] = operandsOf(context, 'TOPIC-PATTERN');
    const rule = patternRule(pattern);
    if (rule !== undefined) throw new SekaliError('config_invalid', rule);
    if (given.forwardTo === undefined) {
      throw new SekaliError('config_invalid', '--forward-to is needed, as http://localhost:3000/hooks');
    }
    return await forward(pattern, given.forwardTo, given);
  },
};

async function forward(pattern: string, url: string, given: Values<typeof SETTINGS>): Promise<number> {
  const { after, source, retries, timeoutMs } = given;
  // Whoever has mistyped the address of the server must not wait for it.
  await connect(given, { retryForMs: 0 }).topics({ limit: 1 });
  const secret = given.webhookSecret ?? keptSecret(process.env);
  const stop = stopSignal();
  const outage = new Outage();
  const client = connect(given, { onRetry: ({ message }) => outage.began(message) });
  const forwarder = new Forwarder({ url, secret, retries, timeoutMs, signal: stop.signal });
  process.stderr.write(`events of ${pattern} go to ${url}\nsecret: ${secret}\n`);
  const line = isForProgram(given) ? (one: Forwarded) => `${JSON.stringify(one)}\n` : tryLine;
  let place = after;

  async function* lines(): AsyncGenerator<string> {
    for await (const { position, text } of client.tailText(pattern, { after, source, signal: stop.signal })) {
      outage.ended();
      for await (const one of forwarder.forward(text)) {
        const isLast = one.next_try_in_ms === null;
        if (isLast) place = position;
        yield line(one);
        if (isLast && !one.is_delivered) {
          process.stderr.write(`sekali: the event at position ${position} is given up: ${one.reason}\n`);
        }
      }
    }
  }

  await print(lines());
  stop.release();
  if (place !== undefined) {
    process.stderr.write(dim(`--after ${place} goes on from here\n`, process.stderr));
  }
  return EXIT.ok;
}
