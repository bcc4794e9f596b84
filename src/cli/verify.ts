import type { Settings } from '../settings.ts';
import type { Fault, VerifyProgress, VerifyReport } from '../store/sqlite/verify/verify-store.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { DATA_SETTINGS } from './data-setting.ts';
import { printable } from './display-text.ts';
import { isForProgram, OUTPUT_SETTINGS } from './listing.ts';
import { print } from './output.ts';
import { ProgressBar } from './publish/progress-bar.ts';
import { bold, green, grouped, isInteractive, red } from './terminal.ts';

const SETTINGS = { ...DATA_SETTINGS, ...OUTPUT_SETTINGS } as const satisfies Settings;

/** What a run found, for programs: the last line, after a line for each fault. */
type Summary = VerifyReport & { readonly sound: boolean; readonly seconds: number };

export const verify: Command = {
  name: 'verify',
  summary:
    'Reads all of a store, also beside a server, and says what is damaged. Exit 0 when nothing is, 1 when something is.',
  settings: SETTINGS,
  async run(context) {
    const settings = commandSettings(SETTINGS, context);
    operandsOf(context);
    // Here, not above: no other command should wait for SQLite.
    const { verifyStore } = await import('../store/sqlite/verify/verify-store.ts');
    const forProgram = isForProgram(settings);
    const progress = new Progress();
    const startedAt = performance.now();
    const report = verifyStore({
      dataDir: settings.data,
      onFault: (fault) => progress.say(forProgram ? JSON.stringify(fault) : faultLine(fault), process.stdout),
      onNote: (note) => progress.say(`sekali: ${note}`, process.stderr),
      onProgress: (step) => progress.show(step),
    });
    progress.end();
    const seconds = (performance.now() - startedAt) / 1000;
    const summary = { sound: report.faults === 0, ...report, seconds: Number(seconds.toFixed(3)) };
    await print([forProgram ? `${JSON.stringify(summary)}\n` : summaryText(summary, settings.data)]);
    return summary.sound ? EXIT.ok : EXIT.failed;
  },
};

/** Progress on a terminal, and lines that stay above it. */
class Progress {
  #bar: ProgressBar | undefined;

  show({ phase, done, total }: VerifyProgress): void {
    if (phase === 'structure') {
      if (isInteractive(process.stderr)) process.stderr.write('checking the structure of sekali.db');
      return;
    }
    this.#bar ??= this.#begin(total);
    this.#bar.update(done);
  }

  say(text: string, stream: NodeJS.WriteStream): void {
    this.end();
    stream.write(`${text}\n`);
  }

  end(): void {
    if (isInteractive(process.stderr)) process.stderr.write('\r\x1b[2K');
  }

  #begin(total: number): ProgressBar {
    this.end();
    return new ProgressBar(process.stderr, total);
  }
}

function faultLine({ where, what, mend }: Fault): string {
  return `${red(printable(where))}: ${printable(what)}\n  ${printable(mend)}`;
}

function summaryText(summary: Summary, dataDir: string): string {
  const { sound, faults, untold, events, keys, generations, seconds } = summary;
  const further = untold.map(({ kind, count }) => `and ${grouped(count)} more of the kind: ${kind}\n`);
  const read = `${grouped(events)} events and ${grouped(keys)} keys in ${grouped(generations)} generations read in ${seconds.toFixed(1)} s`;
  const verdict = sound
    ? green(`${dataDir} is sound`)
    : red(`${dataDir} has ${grouped(faults)} ${faults === 1 ? 'fault' : 'faults'}`);
  return `${further.join('')}${bold(verdict)}: ${read}\n`;
}
