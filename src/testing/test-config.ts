import { type Config, loadConfig } from '../config.ts';
import { SekaliError } from '../errors.ts';
import { didYouMean } from '../nearest.ts';
import { memberOf } from '../settings.ts';
import type { TestSekaliOptions } from './test-sekali.ts';

/** What is not as in a server, unless an option says otherwise. */
const DEFAULTS: TestSekaliOptions = {
  port: 0,
  webhookAllow: ['localhost', '127.0.0.0/8', '::1'],
  logLevel: 'silent',
};

const NAMES = Object.keys({
  port: true,
  apiKey: true,
  corsOrigins: true,
  bodyBytesMax: true,
  eventBytesMax: true,
  eventsMax: true,
  depthMax: true,
  dedupWindow: true,
  streamHeartbeatMs: true,
  webhookAllow: true,
  webhookTimeoutMs: true,
  logLevel: true,
} satisfies Record<keyof TestSekaliOptions, true>);

/** At the end, half of it goes by before a client that is in the midst of sending is cut off. */
const SHUTDOWN_TIMEOUT_MS = 500;

/** @throws SekaliError `config_invalid` with every problem */
export function configOf(options: TestSekaliOptions): Config {
  const unknown = Object.keys(options).filter((name) => !NAMES.includes(name));
  if (unknown.length > 0) {
    const problems = unknown.map((name) => `startSekali: ${name} is no option${didYouMean(name, NAMES)}`);
    throw new SekaliError('config_invalid', problems.join('\n'), { problems });
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const all = [...Object.entries(DEFAULTS), ...given, ['shutdownTimeoutMs', SHUTDOWN_TIMEOUT_MS] as const];
  const members = Object.fromEntries(all.map(([name, value]): [string, unknown] => [memberOf(name), value]));
  return loadConfig({ flags: new Map(), env: {}, file: { name: 'startSekali', members } });
}
