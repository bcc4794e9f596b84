import { SekaliError } from '../../errors.ts';
import type { RedisSession } from './session.ts';

/** What the server says of how it keeps its data. Undefined: it does not tell. */
export interface PersistenceFacts {
  readonly version: string;
  /** Of this start of the server: another one after each restart. */
  readonly runId: string;
  readonly appendOnly: boolean;
  readonly appendFsync: string | undefined;
  readonly noFsyncOnRewrite: boolean | undefined;
  readonly evictionPolicy: string | undefined;
}

/**
 * From here on errors of a script begin with their code, and XAUTOCLAIM leaves out what is no longer in the stream. Valkey gives
 * itself out for Redis 7.2.4.
 */
const VERSION_MIN = [7, 0] as const;

/** @throws SekaliError `config_invalid` when the server is too old */
export async function readPersistence(session: Pick<RedisSession, 'send'>): Promise<PersistenceFacts> {
  const info = parseInfo((await session.send(['INFO'])) as string);
  const version = info.get('redis_version') ?? '0';
  if (!isAtLeast(version, ...VERSION_MIN)) {
    throw new SekaliError(
      'config_invalid',
      `A queue needs Redis ${VERSION_MIN.join('.')} or later, and this is ${version}.`,
    );
  }
  const config = await readConfig(session);
  return {
    version,
    runId: info.get('run_id') ?? '',
    appendOnly: info.get('aof_enabled') === '1',
    appendFsync: config.get('appendfsync'),
    noFsyncOnRewrite: toBoolean(config.get('no-appendfsync-on-rewrite')),
    evictionPolicy: info.get('maxmemory_policy'),
  };
}

export function isAtLeast(version: string, major: number, minor: number): boolean {
  const [hasMajor = 0, hasMinor = 0] = version.split('.').map(Number);
  return hasMajor > major || (hasMajor === major && hasMinor >= minor);
}

/** Managed servers refuse CONFIG, or leave settings out of it. */
async function readConfig(session: Pick<RedisSession, 'send'>): Promise<Map<string, string>> {
  try {
    const reply = (await session.send(['CONFIG', 'GET', '*appendfsync*'])) as string[];
    const config = new Map<string, string>();
    for (let i = 0; i + 1 < reply.length; i += 2) config.set(reply[i]!, reply[i + 1]!);
    return config;
  } catch (error) {
    if (isRefusal(error)) return new Map();
    throw error;
  }
}

/** "NOPERM", or "ERR unknown command": the command is renamed or forbidden. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && /^(NOPERM|ERR) /.test(error.message);
}

function parseInfo(text: string): Map<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

function toBoolean(value: string | undefined): boolean | undefined {
  return value === undefined ? undefined : value === 'yes';
}
