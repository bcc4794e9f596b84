import { randomInt } from 'node:crypto';
import type { RequestError } from '../client/index.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { connect } from './connection.ts';
import { isForProgram } from './listing.ts';
import { print } from './output.ts';
import { lookAfter, lookBefore } from './publish/account.ts';
import { ProgressBar } from './publish/progress-bar.ts';
import { makeReport, printReport, type Report } from './publish/report.ts';
import { send } from './publish/send.ts';
import { PUBLISH_SETTINGS, type PublishSettings } from './publish/settings.ts';
import { Simulation } from './publish/simulation.ts';
import { stopSignal } from './stop-signal.ts';

/** Seeds that are made up; short enough to be typed again. */
const SEED_BOUND = 2 ** 32;

export const publish: Command = {
  name: 'publish',
  summary: 'Sends simulated events at least once, and checks that each is stored exactly once.',
  settings: PUBLISH_SETTINGS,
  async run(context) {
    const settings = commandSettings(PUBLISH_SETTINGS, context);
    operandsOf(context);
    const report = await publishAll(settings);
    if (!isForProgram(settings)) await print([printReport(report)]);
    else {
      for (const problem of report.problems) process.stderr.write(`sekali: ${problem}\n`);
      await print([`${JSON.stringify(report)}\n`]);
    }
    return report.accounted_for ? EXIT.ok : EXIT.failed;
  },
};

/** @throws RequestError when the server cannot be reached at the start: nothing was sent */
async function publishAll(settings: PublishSettings): Promise<Report> {
  const { url, seed = randomInt(SEED_BOUND), retryForMs } = settings;
  const simulation = new Simulation({ ...settings, seed });
  const bar = new ProgressBar(process.stderr, settings.total);
  const outage = new Outage((reason) =>
    bar.note(`sekali: ${reason}; trying again for up to ${retryForMs / 1000} s`),
  );
  const client = connect(settings, { retryForMs, onRetry: (error) => outage.failed(error) });
  const beginning = await lookBefore(client);

  const stop = stopSignal(() => bar.note('sekali: finishing the requests under way; once more to give up'));
  const startedAt = performance.now();
  const sent = await send({
    ...settings,
    client,
    simulation,
    stop: stop.signal,
    onAnswer(answered) {
      outage.passed();
      bar.update(answered);
    },
  });
  const seconds = (performance.now() - startedAt) / 1000;
  stop.release();
  bar.clear();

  // After a publisher has given up, the server is not waited for once more.
  const reader = sent.failure ? connect(settings, { retryForMs: 0 }) : client;
  const account = await lookAfter(reader, beginning, simulation, sent).catch(toError);
  return makeReport({
    url,
    seed,
    sent,
    account,
    retries: outage.retries,
    seconds,
    interrupted: stop.signal.aborted && sent.events < simulation.total,
  });
}

/** Counts the tries that failed, and tells of the first one since an answer came: the others say the same. */
class Outage {
  retries = 0;
  readonly #tell: (reason: string) => void;
  #told = false;

  constructor(tell: (reason: string) => void) {
    this.#tell = tell;
  }

  failed({ message }: RequestError): void {
    this.retries++;
    if (!this.#told) this.#tell(message);
    this.#told = true;
  }

  passed(): void {
    this.#told = false;
  }
}

/** Whatever kept the publisher from asking, it still reports what it knows. */
function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
