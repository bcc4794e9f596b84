import { open } from 'node:fs/promises';
import { SekaliError } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { TransferReader } from '../transfer/transfer-reader.ts';
import { type Command, commandSettings, EXIT } from './command.ts';
import { DATABASE_SETTINGS } from './database-setting.ts';
import { ProgressBar } from './publish/progress-bar.ts';
import { moved } from './transfer-report.ts';

const SETTINGS = { ...DATABASE_SETTINGS } as const satisfies Settings;

/** Read at once: a batch is some megabytes. */
const READ_BYTES = 1024 * 1024;

export const importCommand: Command = {
  name: 'import',
  summary: 'Fills an empty store in PostgreSQL with what sekali export has written; all of it or nothing.',
  operands: '[FILE]',
  settings: SETTINGS,
  async run(context) {
    const settings = commandSettings(SETTINGS, context);
    const [file = '-', ...more] = context.operands;
    if (more.length > 0) {
      throw new SekaliError('config_invalid', `expected one FILE, got ${context.operands.join(' ')}`);
    }
    if (settings.databaseUrl === undefined) {
      throw new SekaliError(
        'config_invalid',
        'give --database-url URL, or DATABASE_URL: the store to import into',
      );
    }
    const startedAt = performance.now();
    const input =
      file === '-' ? process.stdin : (await open(file)).createReadStream({ highWaterMark: READ_BYTES });
    const { PostgresImport } = await import('../store/postgres/import-store.ts');
    const target = await PostgresImport.open(settings.databaseUrl);
    let bar: ProgressBar | undefined;
    const reader = new TransferReader(file === '-' ? 'standard input' : file, target, (done, total) => {
      bar ??= new ProgressBar(process.stderr, total);
      bar.update(done);
    });
    try {
      const counts = await reader.read(input);
      bar?.clear();
      process.stderr.write(moved('imported', counts, startedAt));
      return EXIT.ok;
    } finally {
      bar?.clear();
      await target.close();
    }
  },
};
