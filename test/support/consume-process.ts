/** A process with workers and nothing else, to be killed: its settings are the argument. */
import type { ConsumeThreadSettings } from '../../src/consume/consume-messages.ts';
import { Workers } from '../../src/consume/workers.ts';

const events = {
  onLog: () => {},
  onDeath: (error: unknown) => {
    throw error;
  },
};
const { storeMark, ...settings } = JSON.parse(process.argv[2]!) as ConsumeThreadSettings;
new Workers(settings, events).start(storeMark);
