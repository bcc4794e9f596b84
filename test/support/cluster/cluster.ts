import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../at-end.ts';
import { freePort } from '../services/free-port.ts';
import { PostgresServer } from '../services/postgres-server.ts';
import { type RedisOptions, RedisServer } from '../services/redis-server.ts';
import { TcpProxy } from '../services/tcp-proxy.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';
import { Instance } from './instance.ts';

export interface ClusterOptions {
  instances?: number;
  /** Whether each instance has a network of its own to either server, which a test can break. */
  ownLinks?: boolean;
  /** Of all instances. */
  env?: Record<string, string>;
  redis?: RedisOptions;
}

/** What is acknowledged is on the disk. */
const DURABLE: RedisOptions = { appendonly: true, appendfsync: 'always' };

/** Where compiled modules are kept from one instance to the next: starting one takes 0.6 instead of 0.95 s. Filled by those that end in peace. */
const COMPILE_CACHE = fileURLToPath(
  new URL('../../../node_modules/.cache/sekali-test-compile', import.meta.url),
);

/** Short, so that what a dead worker held is soon another's. */
const CLAIM_MS = '1000';

/**
 * Several `sekali serve` on one PostgreSQL and one Redis, all of them real processes of the test's own. Instances are up or
 * down one by one, and have the same URL each time. All of it goes when the test ends.
 */
export class Cluster {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly databaseUrl: string;
  readonly instances: Instance[] = [];
  readonly #t: TestContext;
  readonly #ownLinks: boolean;
  readonly #env: Record<string, string>;

  private constructor(
    t: TestContext,
    servers: { postgres: PostgresServer; redis: RedisServer; databaseUrl: string },
    { ownLinks = false, env = {} }: ClusterOptions,
  ) {
    this.#t = t;
    this.postgres = servers.postgres;
    this.redis = servers.redis;
    this.databaseUrl = servers.databaseUrl;
    this.#ownLinks = ownLinks;
    this.#env = env;
  }

  /** Resolves when all instances are ready. */
  static async start(t: TestContext, options: ClusterOptions = {}): Promise<Cluster> {
    const [postgres, redis] = await Promise.all([
      PostgresServer.start(),
      RedisServer.start(options.redis ?? DURABLE),
    ]);
    atEnd(t, () => Promise.all([postgres[Symbol.asyncDispose](), redis[Symbol.asyncDispose]()]));
    // Nobody has used it; to make another takes up to a second.
    const databaseUrl = postgres.url('postgres');
    const cluster = new Cluster(t, { postgres, redis, databaseUrl }, options);
    await Promise.all(Array.from({ length: options.instances ?? 3 }, () => cluster.add()));
    return cluster;
  }

  /** Starts one more. Resolves when it is ready. */
  async add(env: Record<string, string> = {}): Promise<Instance> {
    const instance = await this.prepare(env);
    this.instances.push(instance);
    await instance.start();
    return instance;
  }

  /** One that is not started, and of which nobody else knows. */
  async prepare(env: Record<string, string> = {}): Promise<Instance> {
    const links = this.#ownLinks ? await this.#makeLinks() : undefined;
    const port = await freePort();
    return new Instance(this.#t, {
      port,
      dataDir: tempDir(this.#t),
      links,
      env: {
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        SEKALI_CLAIM_MS: CLAIM_MS,
        ...this.#env,
        ...env,
        DATABASE_URL: links?.postgres.url(this.databaseUrl) ?? this.databaseUrl,
        REDIS_URL: links?.redis.url(this.redis.url) ?? this.redis.url,
      },
    });
  }

  async #makeLinks(): Promise<{ postgres: TcpProxy; redis: TcpProxy }> {
    const [postgres, redis] = await Promise.all([
      TcpProxy.to(this.postgres.port),
      TcpProxy.to(this.redis.port),
    ]);
    atEnd(this.#t, () => Promise.all([postgres.cut(), redis.cut()]));
    return { postgres, redis };
  }

  async untilReady(): Promise<void> {
    await until('all instances are ready', () => this.#all((ready) => ready));
  }

  async untilNotReady(): Promise<void> {
    await until('no instance is ready', () => this.#all((ready) => !ready));
  }

  async #all(holds: (ready: boolean) => boolean): Promise<boolean> {
    return (await Promise.all(this.instances.map((each) => each.isReady()))).every(holds);
  }
}
