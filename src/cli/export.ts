import { SekaliError } from '../errors.ts';
import { optionalText, type Settings } from '../settings.ts';
import { TransferWriter } from '../transfer/transfer-writer.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { DATA_SETTINGS } from './data-setting.ts';
import { DATABASE_SETTINGS } from './database-setting.ts';
import { type Output, outputFile, standardOutput } from './export/output-file.ts';
import { ProgressBar } from './publish/progress-bar.ts';
import { isInteractive } from './terminal.ts';
import { moved } from './transfer-report.ts';

const SETTINGS = {
  ...DATA_SETTINGS,
  ...DATABASE_SETTINGS,
  output: {
    kind: optionalText,
    fallback: undefined as string | undefined,
    form: 'FILE',
    meaning: 'File to write to, which must not be there yet. Without it, standard output.',
    flagOnly: true,
  },
} as const satisfies Settings;

export const exportCommand: Command = {
  name: 'export',
  summary: 'Writes all of a store, as it is at one moment, as lines of JSON that sekali import reads.',
  settings: SETTINGS,
  async run(context) {
    const settings = commandSettings(SETTINGS, context);
    operandsOf(context);
    if (context.flags.has('data') && context.flags.has('database-url')) {
      throw new SekaliError('config_invalid', '--data and --database-url name two stores: give one of them');
    }
    const isDatabase = settings.databaseUrl !== undefined && !context.flags.has('data');
    if (settings.output === undefined && isInteractive(process.stdout)) {
      throw new SekaliError(
        'config_invalid',
        'an export is not for a terminal: give --output FILE, or a pipe',
      );
    }
    const startedAt = performance.now();
    const output = settings.output === undefined ? standardOutput() : await outputFile(settings.output);
    const writer = await write(output, async (to) => {
      // Here, not above: no other command should wait for a database it does not use.
      if (isDatabase) {
        const { exportPostgres } = await import('../store/postgres/export-store.ts');
        await exportPostgres(settings.databaseUrl ?? '', to);
      } else {
        const { exportSqlite } = await import('../store/sqlite/export-store.ts');
        await exportSqlite({ dataDir: settings.data, writer: to });
      }
    });
    process.stderr.write(moved('exported', writer.counts, startedAt));
    return EXIT.ok;
  },
};

async function write(
  output: Output,
  work: (writer: TransferWriter) => Promise<void>,
): Promise<TransferWriter> {
  let bar: ProgressBar | undefined;
  const writer = new TransferWriter(
    (chunk) => output.write(chunk),
    (done, total) => {
      bar ??= new ProgressBar(process.stderr, total);
      bar.update(done);
    },
  );
  try {
    await work(writer);
    await output.end();
    return writer;
  } catch (error) {
    await output.abandon();
    throw error;
  } finally {
    bar?.clear();
  }
}
