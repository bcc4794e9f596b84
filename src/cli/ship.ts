import { RequestError } from '../client/request-error.ts';
import { systemClock } from '../clock.ts';
import { type Command, EXIT } from './command.ts';
import { connect } from './connection.ts';
import { isForProgram } from './listing.ts';
import { print } from './output.ts';
import { Sender } from './ship/sender.ts';
import { RETRY_ONCE_FOR_MS, SHIP_SETTINGS, type ShipSettings, shipSettings } from './ship/settings.ts';
import { shipFiles } from './ship/ship-files.ts';
import { ShipReport } from './ship/ship-report.ts';
import { stopSignal } from './stop-signal.ts';

/** Time that the server has to take what was read, once the run is to stop. */
const STOP_WITHIN_MS = 8000;

export const ship: Command = {
  name: 'ship',
  summary: 'Publishes the lines of log files, each exactly once however often it is shipped.',
  operands: 'FILE…',
  settings: SHIP_SETTINGS,
  async run(context) {
    const settings = shipSettings(context);
    const report = new ShipReport((text) => process.stderr.write(text));
    const giveUp = new AbortController();
    const stop = stopSignal(() => {
      setTimeout(() => giveUp.abort(), STOP_WITHIN_MS).unref();
    });
    const parts = {
      sender: makeSender(settings, report, giveUp.signal),
      report,
      limits: { lines: settings.batchLines, bytes: settings.batchBytes },
      clock: systemClock,
      stop: stop.signal,
    };
    try {
      await shipFiles({ files: context.operands, settings, env: context.env, parts });
    } catch (error) {
      if (giveUp.signal.aborted) report.fail('stopped before the server took the last lines');
      else if (error instanceof RequestError) report.fail(`stopped: ${error.message}`);
      else throw error;
    }
    stop.release();
    await print([report.summary(!isForProgram(settings))]);
    return report.isClean ? EXIT.ok : EXIT.failed;
  },
};

function makeSender(settings: ShipSettings, report: ShipReport, giveUp: AbortSignal): Sender {
  const { topic, idField, follow, retryForMs } = settings;
  const client = connect(settings, {
    retryForMs: retryForMs ?? (follow ? Number.POSITIVE_INFINITY : RETRY_ONCE_FOR_MS),
    onRetry: (error) => report.serverFails(error.message),
  });
  return new Sender({ client, topic, report, tellsConflicts: idField !== undefined, giveUp });
}
