import { loadConfig } from '../config.ts';
import { SERVER_SETTINGS } from '../server-settings.ts';
import { shownUrl } from '../server-url.ts';
import { type Command, type CommandContext, EXIT, operandsOf } from './command.ts';
import { stopSignal } from './stop-signal.ts';

export const serve: Command = {
  name: 'serve',
  summary: 'Runs the server.',
  settings: SERVER_SETTINGS,
  async run(context: CommandContext): Promise<number> {
    const config = loadConfig(context);
    operandsOf(context);
    // Here, not above: it takes 0.12 s to load, for which no other command should wait.
    const [{ createLog, isReadable }, { startServer }] = await Promise.all([
      import('../log.ts'),
      import('../server.ts'),
    ]);
    const log = createLog(config);
    const server = await startServer(config, log);
    const asked = Promise.withResolvers<NodeJS.Signals>();
    stopSignal(asked.resolve);
    const firstTry = curlLine(server.url, config.apiKey !== undefined);
    const where =
      config.databaseUrl === undefined ? { data: config.data } : { database: shownUrl(config.databaseUrl) };
    if (isReadable(config)) {
      log.info(where, `listening on ${server.url}`);
      process.stdout.write(welcome(server.url, firstTry));
    } else log.info({ url: server.url, ...where, try: firstTry }, `listening on ${server.url}`);

    let signal: NodeJS.Signals;
    try {
      signal = await Promise.race([asked.promise, server.broken]);
    } catch (error) {
      // What has been acknowledged is on the disk, and nothing more can be: whoever watches over it should start it anew.
      log.fatal({ err: error }, 'a part has died that the server cannot do without');
      process.exit(EXIT.failed);
    }
    log.info({ signal }, 'shutting down: finishing what was taken');
    setTimeout(() => {
      log.error('the shutdown took too long');
      process.exit(EXIT.failed);
    }, config.shutdownTimeoutMs).unref();
    await server.stop();
    log.info('stopped');
    return EXIT.ok;
  },
};

/** One line to try, for who has just started it. */
function curlLine(url: string, hasKey: boolean): string {
  const event = {
    topic: 'orders',
    event_id: 'order-1',
    timestamp: '2026-01-31T12:00:00Z',
    source: 'shop',
    payload: { total: 129.95 },
  };
  const key = hasKey ? "-H 'Authorization: Bearer KEY' " : '';
  return `curl ${key}-H 'Content-Type: application/json' ${url}/publish -d '${JSON.stringify(event)}'`;
}

function welcome(url: string, firstTry: string): string {
  return `\nSekali is at ${url}, its API at ${url}/docs. Publish an event, twice if you like:\n\n  ${firstTry}\n\n`;
}
