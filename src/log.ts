import { createRequire } from 'node:module';
import { destination, type Logger, pino } from 'pino';
import type pretty from 'pino-pretty';
import type { Config } from './config.ts';

export type { Logger } from 'pino';

/**
 * The structured log: JSON lines in a pipe, readable lines on a terminal. A line names what happened and to which
 * request; payloads and keys never go in.
 */
export function createLog({ logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>): Logger {
  // Written at once: a line about a crash must not be lost in a buffer.
  const stream = isReadable({ logFormat })
    ? loadPretty()({ sync: true, ignore: 'pid,hostname' })
    : destination({ fd: 1, sync: true });
  const redact = {
    paths: ['authorization', 'headers.authorization', 'req.headers.authorization'],
    censor: '[hidden]',
  };
  return pino(
    { level: logLevel, base: { name: 'sekali' }, redact, timestamp: pino.stdTimeFunctions.isoTime },
    stream,
  );
}

/** Loaded where somebody looks: its thirty modules are a twentieth of what a server in a pipe would start with. */
function loadPretty(): typeof pretty {
  return createRequire(import.meta.url)('pino-pretty') as typeof pretty;
}

/** Whether the log is for people. */
export function isReadable({ logFormat }: Pick<Config, 'logFormat'>): boolean {
  return logFormat === 'pretty' || (logFormat === 'auto' && process.stdout.isTTY);
}
