/**
 * Sekali's HTTP server with another store behind it, for the bench alone: `node bench/serve.ts STORE_THREAD DATA_DIR`.
 * What is read (`/stats`, `/events`) comes from an empty store of Sekali's own in that directory, and tells nothing.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { startServer } from '../src/server.ts';
import { SqliteStore } from '../src/store/sqlite/sqlite-store.ts';

const [storeThread = '', dataDir = ''] = process.argv.slice(2);

const empty = SqliteStore.open({ dataDir });
await empty.close();

const flags = new Map([
  ['port', '0'],
  ['data', dataDir],
  ['log-format', 'json'],
]);
const config = loadConfig({ flags, env: {} });
const server = await startServer(config, createLog(config), pathToFileURL(resolve(storeThread)));
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);
process.once('SIGTERM', () => void server.stop());
