import { Client } from 'pg';
import { cpuSecondsOf, cpuSecondsOfFamily } from '../process-figures.ts';
import { PostgresProgram } from '../programs/postgres.ts';
import { RedisProgram } from '../programs/redis.ts';
import { BenchServer, type ServerCommand } from '../server.ts';

export interface ClusterShape {
  /** Sekali processes that share one PostgreSQL. */
  readonly instances: number;
  /** Whether a Redis stands in front of it. */
  readonly hasQueue: boolean;
  /** Of each instance, where there is a queue. */
  readonly workers: number;
  /** Where the queue begins to refuse; without it, where Sekali has it. */
  readonly backlogBytesMax?: number;
}

/** Processor time by part, in seconds. */
export interface PartSeconds {
  readonly postgres: number;
  readonly redis: number;
  readonly sekali: number;
}

/** A PostgreSQL, a Redis if wanted, and instances of Sekali that share them: each a program of its own, on fresh data. */
export class Cluster {
  readonly instances: readonly BenchServer[];
  readonly shape: ClusterShape;
  readonly #postgres: PostgresProgram;
  readonly #redis: RedisProgram | undefined;
  readonly #client: Client;
  readonly #parts: AsyncDisposableStack;

  private constructor(
    shape: ClusterShape,
    { postgres, redis, instances, client }: Started,
    parts: AsyncDisposableStack,
  ) {
    this.shape = shape;
    this.instances = instances;
    this.#postgres = postgres;
    this.#redis = redis;
    this.#client = client;
    this.#parts = parts;
  }

  static async start(shape: ClusterShape): Promise<Cluster> {
    await using parts = new AsyncDisposableStack();
    const postgres = parts.adopt(await PostgresProgram.start(), (program) => program.stop());
    const redis = shape.hasQueue
      ? parts.adopt(await RedisProgram.start('always'), (program) => program.stop())
      : undefined;
    const command = commandOf(shape, postgres.url, redis?.url);
    const instances: BenchServer[] = [];
    for (let i = 0; i < shape.instances; i++) {
      instances.push(parts.adopt(await BenchServer.start(command), stopInstance));
    }
    const client = parts.adopt(new Client({ connectionString: postgres.url }), (open) => open.end());
    await client.connect();
    return new Cluster(shape, { postgres, redis, instances, client }, parts.move());
  }

  get urls(): [string, ...string[]] {
    const [first, ...others] = this.instances.map(({ url }) => url);
    return [first!, ...others];
  }

  /** The one row that a question to the database is answered with. */
  async ask<Row>(sql: string): Promise<Row> {
    const { rows } = await this.#client.query(sql);
    return rows[0] as Row;
  }

  /** Bytes of write-ahead log ever written. */
  async walBytes(): Promise<number> {
    const row = await this.ask<{ bytes: string }>(
      `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS bytes`,
    );
    return Number(row.bytes);
  }

  /** What durability and rate hang on: as PostgreSQL tells it, and as Redis was told. */
  async settings(): Promise<Record<string, string>> {
    const names = SETTINGS.map((name) => `('${name}')`).join(', ');
    const row = await this.ask<{ settings: Record<string, string> }>(
      `SELECT jsonb_object_agg(name, current_setting(name)) AS settings FROM (VALUES ${names}) AS asked (name)`,
    );
    return { ...row.settings, ...(this.#redis && { appendonly: 'yes', appendfsync: 'always' }) };
  }

  cpuSeconds(): PartSeconds {
    return {
      postgres: cpuSecondsOfFamily(this.#postgres.pid),
      redis: this.#redis === undefined ? 0 : cpuSecondsOf(this.#redis.pid),
      sekali: this.instances.reduce((sum, { pid }) => sum + cpuSecondsOf(pid), 0),
    };
  }

  /** Ends all of it, front to back, and removes its data. */
  async stop(): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

const SETTINGS = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'shared_buffers',
  'max_wal_size',
  'checkpoint_timeout',
] as const;

interface Started {
  readonly postgres: PostgresProgram;
  readonly redis: RedisProgram | undefined;
  readonly instances: readonly BenchServer[];
  readonly client: Client;
}

/** The compiled server, as users run it, with nothing of its own on the disk. */
function commandOf(
  { workers, backlogBytesMax }: ClusterShape,
  postgresUrl: string,
  redisUrl?: string,
): ServerCommand {
  const queue = redisUrl === undefined ? {} : { REDIS_URL: redisUrl, WORKER_COUNT: String(workers) };
  const bound = backlogBytesMax === undefined ? {} : { SEKALI_BACKLOG_BYTES_MAX: String(backlogBytesMax) };
  return {
    args: () => ['bin/sekali.js', 'serve', '--port', '0', '--log-format', 'json'],
    env: { DATABASE_URL: postgresUrl, ...queue, ...bound },
  };
}

async function stopInstance(server: BenchServer): Promise<void> {
  await server.stop();
  server.dataDir.remove();
}
