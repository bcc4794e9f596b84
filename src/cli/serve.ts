import { loadConfig, SERVER_SETTINGS } from '../config.ts';
import { createLog } from '../log.ts';
import { startServer } from '../server.ts';
import { type Command, type CommandContext, EXIT, operandsOf } from './command.ts';

export const serve: Command = {
  name: 'serve',
  summary: 'Runs the server.',
  settings: SERVER_SETTINGS,
  async run(context: CommandContext): Promise<number> {
    operandsOf(context);
    const config = loadConfig(context);
    const log = createLog(config);
    const server = await startServer(config, log);
    log.info({ url: server.url, data: config.data }, `listening on ${server.url}`);
    if (process.stdout.isTTY) process.stdout.write(welcome(server.url, config.apiKey !== undefined));

    const signal = await Promise.race([nextSignal(), server.broken]);
    log.info({ signal }, 'shutting down: finishing what was taken');
    // Whoever asks twice, or has waited long enough, is not kept.
    void nextSignal().then(() => process.exit(EXIT.failed));
    setTimeout(() => {
      log.error('the shutdown took too long');
      process.exit(EXIT.failed);
    }, config.shutdownTimeoutMs).unref();
    await server.stop();
    log.info('stopped');
    return EXIT.ok;
  },
};

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
}

/** One line to try, for who has just started it. */
function welcome(url: string, hasKey: boolean): string {
  const key = hasKey ? " -H 'Authorization: Bearer KEY'" : '';
  return `
Sekali is at ${url} (its API: ${url}/docs). Publish an event, twice if you like:

  curl${key} -H 'Content-Type: application/json' ${url}/publish -d '{"topic":"orders","event_id":"order-1","timestamp":"2026-01-31T12:00:00Z","source":"shop","payload":{"total":129.95}}'

`;
}
