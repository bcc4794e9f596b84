import { postgresUrl } from '../server-url.ts';
import type { Settings } from '../settings.ts';

/** For commands that work on a store in PostgreSQL, with or without servers on it. */
export const DATABASE_SETTINGS = {
  databaseUrl: {
    kind: postgresUrl,
    fallback: undefined as string | undefined,
    form: 'URL',
    meaning: 'Database of the store, as of sekali serve: postgres://USER@HOST/NAME.',
    olderEnv: ['DATABASE_URL'],
    secret: true,
  },
} as const satisfies Settings;
