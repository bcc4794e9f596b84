import { SekaliError } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { DATABASE_SETTINGS } from './database-setting.ts';
import { isForProgram, OUTPUT_SETTINGS } from './listing.ts';
import { print } from './output.ts';

const SETTINGS = { ...DATABASE_SETTINGS, ...OUTPUT_SETTINGS } as const satisfies Settings;

export const migrate: Command = {
  name: 'migrate',
  summary:
    'Brings the schema of a store in PostgreSQL up to date, as sekali serve does at its start unless told otherwise.',
  settings: SETTINGS,
  async run(context) {
    const settings = commandSettings(SETTINGS, context);
    operandsOf(context);
    if (settings.databaseUrl === undefined) {
      throw new SekaliError(
        'config_invalid',
        'give --database-url URL, or DATABASE_URL: the store to migrate',
      );
    }
    const { migrateDatabase, SCHEMA_VERSION: version } = await import('../store/postgres/migrate.ts');
    const { version: before } = await migrateDatabase(settings.databaseUrl);
    const told = before < version ? `schema ${before} → ${version}` : `schema ${before}: up to date`;
    await print([`${isForProgram(settings) ? JSON.stringify({ before, version }) : told}\n`]);
    return EXIT.ok;
  },
};
