import type { Kind } from './settings.ts';

/** The addresses of servers that Sekali uses. They may hold a password: no message repeats them. */
export const postgresUrl: Kind<string | undefined> = {
  isSwitch: false,
  read(given) {
    // The systems that Sekali succeeds name their driver too, as postgresql+asyncpg://.
    const url = given.replace(/^(postgres(?:ql)?)\+[a-z0-9_]+:/i, '$1:');
    return hasProtocol(url, 'postgres:', 'postgresql:')
      ? { value: url }
      : { rule: 'the address of a PostgreSQL database, as postgres://user:password@host:5432/database' };
  },
};

export const redisUrl: Kind<string | undefined> = {
  isSwitch: false,
  read: (given) =>
    hasProtocol(given, 'redis:', 'rediss:')
      ? { value: given }
      : { rule: 'the address of a Redis server, as redis://user:password@host:6379 or rediss://…' },
};

function hasProtocol(url: string, ...protocols: string[]): boolean {
  return protocols.includes(URL.parse(url)?.protocol ?? '');
}

/** The address as it may be shown: without user, password and parameters. */
export function shownUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
