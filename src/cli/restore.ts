import type { Settings } from '../settings.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { CopyProgress } from './copy-progress.ts';
import { copied } from './copy-report.ts';
import { DATA_SETTINGS } from './data-setting.ts';
import { isForProgram, OUTPUT_SETTINGS } from './listing.ts';
import { print } from './output.ts';

const SETTINGS = { ...DATA_SETTINGS, ...OUTPUT_SETTINGS } as const satisfies Settings;

export const restore: Command = {
  name: 'restore',
  summary: 'Brings a backup back as the store of an empty data directory, and checks each of its files.',
  operands: 'BACKUP',
  settings: SETTINGS,
  async run(context) {
    const settings = commandSettings(SETTINGS, context);
    const [backupDir = ''] = operandsOf(context, 'BACKUP');
    const { restoreStore } = await import('../store/sqlite/backup-restore.ts');
    const progress = new CopyProgress();
    const startedAt = performance.now();
    try {
      const manifest = restoreStore({ backupDir, dataDir: settings.data, onProgress: progress.show });
      progress.end();
      await print([copied(`restored to ${settings.data}`, manifest, startedAt, isForProgram(settings))]);
    } finally {
      progress.end();
    }
    return EXIT.ok;
  },
};
