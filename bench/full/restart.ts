import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../load/connection.ts';
import { EVENTS_MAX } from '../load/event-text.ts';
import { EventNumbers } from '../load/numbers.ts';
import { publishRequest } from '../load/request.ts';
import type { LoadedServer } from '../scenario.ts';
import { BenchServer, type ServerCommand } from '../server.ts';

const BATCH = 500;
const CONNECTIONS = 4;
const LOAD_MS = 1500;

/**
 * Kills a server in the middle of taking events in, and starts it again on the same data.
 *
 * @returns how long the new one took from its start until it was ready
 * @throws when it has forgotten what was acknowledged
 */
export async function killAndRestart(
  loaded: LoadedServer,
  command: ServerCommand,
): Promise<{ server: BenchServer; readyMs: number }> {
  const acknowledged = { events: 0 };
  const load = Promise.all(
    Array.from({ length: CONNECTIONS }, () => publishUntilKilled(loaded, acknowledged)),
  );
  await Promise.race([load, sleep(LOAD_MS)]);
  await loaded.server.kill();
  await load;
  const server = await BenchServer.start(command, loaded.server.dataDir);
  const stats = (await (await fetch(`${server.url}/stats`)).json()) as { unique_processed: number };
  const promised = loaded.stored + acknowledged.events;
  if (acknowledged.events === 0) throw new Error('nothing was under way when the server was killed');
  if (stats.unique_processed < promised) {
    await server.stop();
    throw new Error(`${promised} events were acknowledged, ${stats.unique_processed} are there`);
  }
  loaded.stored = stats.unique_processed;
  return { server, readyMs: Math.round(server.readyMs) };
}

/** New events of another seed, until the connection breaks. */
async function publishUntilKilled(loaded: LoadedServer, acknowledged: { events: number }): Promise<void> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const numbers = new EventNumbers({ events: EVENTS_MAX, first: 0, duplicates: 0, seed });
  const broken = Promise.withResolvers<undefined>();
  const { url } = loaded.server;
  const connection = await Connection.open(url, () => broken.resolve(undefined));
  const request = publishRequest(new URL(url).host, BATCH, seed);
  for (;;) {
    request.refill(numbers);
    const answer = await Promise.race([connection.ask(request.bytes), broken.promise]);
    if (answer === undefined) break;
    if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body.toString()}`);
    acknowledged.events += BATCH;
  }
  connection.close();
}
