import { constants } from 'node:os';
import { type Settings, toggle } from '../settings.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { DemoServer } from './demo/demo-server.ts';
import { runMenu } from './demo/menu.ts';
import { STEPS } from './demo/steps.ts';
import { Tour } from './demo/tour.ts';
import { dim, isInteractive } from './terminal.ts';

const SETTINGS = {
  all: {
    kind: toggle,
    fallback: false,
    form: '',
    meaning: 'Take every step, one after the other, without the menu; so it is anyway where no terminal is.',
    flagOnly: true,
  },
} as const satisfies Settings;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Signal = (typeof SIGNALS)[number] | 'SIGPIPE';

export const demo: Command = {
  name: 'demo',
  summary: 'Shows what Sekali does, on a server and data of its own that go again when it ends.',
  settings: SETTINGS,
  async run(context) {
    const { all } = commandSettings(SETTINGS, context);
    operandsOf(context);
    const hasMenu = !all && isInteractive(process.stdin) && isInteractive(process.stdout);
    return await withServer(async (server, interrupt) => {
      say(`Sekali is at ${server.url} (process ${server.pid}), its data in ${server.dir}`);
      say(dim('Both go when the demo ends.'));
      const tour = new Tour(server, interrupt.signal, say);
      if (hasMenu) await chooseSteps(tour, interrupt);
      else for (const [index, step] of STEPS.entries()) await tour.take(step, index + 1);
      say(`\n${tour.verdict()}`);
      return tour.allHeld ? EXIT.ok : EXIT.failed;
    });
  },
};

async function chooseSteps(tour: Tour, interrupt: AbortController): Promise<void> {
  await runMenu({
    titles: STEPS.map(({ title }) => title),
    async onChoice(index) {
      const step = STEPS[index];
      if (step !== undefined) await tour.take(step, index + 1);
    },
    onInterrupt: () => interrupt.abort(new Interrupted('SIGINT')),
    input: process.stdin,
    output: process.stdout,
    signal: interrupt.signal,
  });
  interrupt.signal.throwIfAborted();
}

/** Starts a server, and leaves neither it nor its data behind, whatever ends the demo. */
async function withServer(
  run: (server: DemoServer, interrupt: AbortController) => Promise<number>,
): Promise<number> {
  const interrupt = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => interrupt.abort(new Interrupted(signal)));
  // Nobody reads on (`sekali demo | head`).
  process.stdout.on('error', () => interrupt.abort(new Interrupted('SIGPIPE')));
  const server = new DemoServer();
  process.once('exit', () => server.disposeNow());
  try {
    await server.start(interrupt.signal);
    return await run(server, interrupt);
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    throw error;
  } finally {
    await server.dispose();
  }
}

class Interrupted extends Error {
  /** As a shell reports a program that a signal has ended. */
  readonly exitCode: number;
  constructor(signal: Signal) {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
