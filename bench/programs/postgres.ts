import { execFileSync } from 'node:child_process';
import { chownSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DataDir } from '../data-dir.ts';
import { findProgram, versionOf } from './find-program.ts';
import { Program } from './program.ts';

const PATH = findProgram('postgres', globSync('/usr/lib/postgresql/*/bin').toReversed());

export function missingPostgres(): string | undefined {
  return PATH ? undefined : 'there is no postgres';
}

export function postgresVersion(): string {
  return PATH ? versionOf(PATH) : '';
}

/** PostgreSQL refuses to run as root: then it runs as who owns nothing. */
const USER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** A PostgreSQL on a fresh data directory, with an empty database at `url`. */
export class PostgresProgram {
  readonly url: string;
  readonly pid: number;
  readonly #program: Program;
  readonly #cluster: DataDir;

  private constructor(program: Program, cluster: DataDir) {
    this.url = `postgres://bench@127.0.0.1:${program.port}/postgres`;
    this.pid = program.pid;
    this.#program = program;
    this.#cluster = cluster;
  }

  static async start(): Promise<PostgresProgram> {
    const cluster = DataDir.make('postgres');
    if (USER.uid !== undefined) chownSync(cluster.path, USER.uid, USER.gid);
    const data = join(cluster.path, 'data');
    const initdb = join(dirname(PATH ?? ''), 'initdb');
    execFileSync(initdb, ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
      stdio: 'ignore',
      ...USER,
    });
    const program = await Program.start(PATH ?? '', (port) => argumentsOf(data, cluster.path, port), USER);
    return new PostgresProgram(program, cluster);
  }

  /** Ends it, and removes its data. */
  async stop(): Promise<void> {
    await this.#program.stop('SIGINT'); // its fast shutdown
    this.#cluster.remove();
  }
}

/** Memory and checkpoints as whoever cares for its rate would set them; durability as it comes. */
function argumentsOf(data: string, sockets: string, port: number): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: sockets,
    shared_buffers: '1GB',
    max_wal_size: '8GB',
    checkpoint_timeout: '15min',
  };
  return ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
