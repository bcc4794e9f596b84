import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresPrograms } from './find-program.ts';
import { freePort } from './free-port.ts';
import { answersPostgres, createDatabase } from './fresh-database.ts';
import { makeCluster, type User, userForPostgres } from './postgres-cluster.ts';
import { ServerChild } from './server-child.ts';
import { Watchdog } from './watchdog.ts';

export interface PostgresOptions {
  /** Lines of postgresql.conf, above those of `CONFIG`. */
  settings?: Readonly<Record<string, string | number>>;
}

/** fsync stays on: that a commit outlives a crash is what is tested. A Unix socket would only be one more path to choose. */
const CONFIG = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 100,
  shared_buffers: '32MB',
};

/** What the signals of `pg_ctl stop -m` are: without a checkpoint, as a crash is; and with one, connections being ended. */
const SIGNALS = { immediate: 'SIGQUIT', fast: 'SIGINT' } as const;

/**
 * A PostgreSQL of the test's own, in a temporary directory. It is up, or down after `kill`; `start` brings it up again with
 * the port and the data that it had. It ends and its directory goes with `await using`, or else with this process.
 */
export class PostgresServer {
  readonly port: number;
  /** Has `data`, the cluster, and `log`. */
  readonly dir: string;
  readonly #programs: string;
  readonly #user: User | undefined;
  readonly #watchdog: Watchdog;
  #child: ServerChild | undefined;

  private constructor(programs: string, port: number) {
    this.port = port;
    this.dir = mkdtempSync(join(tmpdir(), 'sekali-test-postgres-'));
    this.#programs = programs;
    this.#user = userForPostgres();
    this.#watchdog = new Watchdog(this.dir, 'QUIT');
  }

  /** A new cluster, ready for connections. */
  static async start({ settings = {} }: PostgresOptions = {}): Promise<PostgresServer> {
    const programs = postgresPrograms();
    if (programs === undefined) throw new Error('PostgreSQL is not installed: apt install postgresql');
    const server = new PostgresServer(programs, await freePort());
    server.#initialize({ ...CONFIG, port: server.port, ...settings });
    await server.start();
    return server;
  }

  /** Starts it again. */
  async start(): Promise<void> {
    if (this.#child?.running) return;
    const command = {
      program: join(this.#programs, 'postgres'),
      args: ['-D', join(this.dir, 'data')],
      dir: this.dir,
      user: this.#user,
      log: join(this.dir, 'log'),
      watchdog: this.#watchdog,
    };
    this.#child = await ServerChild.start(command, () => answersPostgres(this.url('postgres')));
  }

  /** Of the postmaster that was started last. */
  get pid(): number {
    return this.#child!.pid;
  }

  url(database: string): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  /** Makes an empty database; resolves with its URL. */
  async createDatabase(): Promise<string> {
    return await createDatabase(this.url('postgres'));
  }

  /** Ends it, all its connections included. Resolves when it is down. */
  async kill(mode: keyof typeof SIGNALS): Promise<void> {
    await this.#child?.stop(SIGNALS[mode]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('immediate');
    await this.#watchdog.end();
  }

  #initialize(config: Record<string, string | number>): void {
    const data = makeCluster(this.#programs, this.dir, this.#user);
    const lines = Object.entries(config).map(([name, value]) => `${name} = '${value}'\n`);
    writeFileSync(join(data, 'postgresql.conf'), lines.join(''), { flag: 'a' });
  }
}
