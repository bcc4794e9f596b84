import { DataDir } from '../data-dir.ts';
import { findProgram, versionOf } from './find-program.ts';
import { Program } from './program.ts';

const PATH = findProgram('redis-server');

export function missingRedis(): string | undefined {
  return PATH ? undefined : 'there is no redis-server';
}

export function redisVersion(): string {
  return PATH ? versionOf(PATH) : '';
}

/** A Redis on a fresh data directory, with an append-only file. */
export class RedisProgram {
  readonly url: string;
  readonly pid: number;
  readonly #program: Program;
  readonly #dataDir: DataDir;

  private constructor(program: Program, dataDir: DataDir) {
    this.url = `redis://127.0.0.1:${program.port}`;
    this.pid = program.pid;
    this.#program = program;
    this.#dataDir = dataDir;
  }

  /** @param appendfsync when the file is synced: `always`, before each answer, or `everysec` */
  static async start(appendfsync: string): Promise<RedisProgram> {
    const dataDir = DataDir.make('redis');
    // Without snapshots and rewrites of its file, which would only take from its rate.
    const args = (port: number) =>
      Object.entries({
        bind: '127.0.0.1',
        port: String(port),
        dir: dataDir.path,
        appendonly: 'yes',
        appendfsync,
        'auto-aof-rewrite-percentage': '0',
        save: '',
      }).flatMap(([name, value]) => [`--${name}`, value]);
    return new RedisProgram(await Program.start(PATH ?? '', args), dataDir);
  }

  /** Ends it, and removes its data. */
  async stop(): Promise<void> {
    await this.#program.stop();
    this.#dataDir.remove();
  }
}
