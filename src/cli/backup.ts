import type { Settings } from '../settings.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { CopyProgress } from './copy-progress.ts';
import { copied } from './copy-report.ts';
import { DATA_SETTINGS } from './data-setting.ts';
import { isForProgram, OUTPUT_SETTINGS } from './listing.ts';
import { print } from './output.ts';

const SETTINGS = { ...DATA_SETTINGS, ...OUTPUT_SETTINGS } as const satisfies Settings;

export const backup: Command = {
  name: 'backup',
  summary: 'Copies a store as it is at one moment to an empty directory, also while a server writes to it.',
  operands: 'DIR',
  settings: SETTINGS,
  async run(context) {
    const settings = commandSettings(SETTINGS, context);
    const [target = ''] = operandsOf(context, 'DIR');
    const { backupStore } = await import('../store/sqlite/backup.ts');
    const progress = new CopyProgress();
    const startedAt = performance.now();
    const manifest = await backupStore({ dataDir: settings.data, target, onProgress: progress.show }).finally(
      () => progress.end(),
    );
    await print([copied(`backed up to ${target}`, manifest, startedAt, isForProgram(settings))]);
    return EXIT.ok;
  },
};
