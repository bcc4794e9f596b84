import { SekaliError } from '../../errors.ts';
import { connect, fromDatabase, type SqlClient } from './connection.ts';
import { renewFunctions } from './functions.ts';
import { makeMeta } from './meta.ts';
import { sql as events } from './migrations/001-events.ts';
import { ensurePartitions, type PartitionOptions } from './partitions.ts';

interface Migration {
  readonly sql: string;
  /** What SQL alone cannot do; after it. */
  readonly finish?: (client: SqlClient) => Promise<void>;
  /**
   * The oldest schema whose programs go on working on this one, so that instances can be upgraded one by one. A migration that
   * only adds something leaves it where it was.
   */
  readonly oldestProgram: number;
}

/** In order; never changed once released, only added to. The number of a migration is its place in here, from 1. */
const MIGRATIONS: readonly Migration[] = [{ sql: events, finish: makeMeta, oldestProgram: 1 }];

/** The schema that this program reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Held while the schema is looked at and changed: of instances that start together one migrates, the others wait for it. */
const LOCK = '5570193308531901289';

/** What a database has. */
export interface Schema {
  /** 0: nothing of Sekali. */
  readonly version: number;
  readonly oldestProgram: number;
}

/**
 * Brings the database to {@link SCHEMA_VERSION}, all or nothing, whoever else tries the same.
 *
 * The functions are this program's afterwards (functions.ts), unless the schema is newer.
 *
 * @returns what the database had before
 * @throws SekaliError `schema_newer`
 */
export async function migrate(client: SqlClient, partitions: PartitionOptions = {}): Promise<Schema> {
  await client.query('BEGIN');
  try {
    await client.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
    const schema = await readSchema(client);
    refuseNewer(schema);
    if (schema.version < SCHEMA_VERSION) await apply(client, schema.version, partitions);
    if (schema.version <= SCHEMA_VERSION) await renewFunctions(client);
    await client.query('COMMIT');
    return schema;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw fromDatabase(error);
  }
}

async function apply(
  client: SqlClient,
  from: number,
  { partitionPositions }: PartitionOptions,
): Promise<void> {
  if (from === 0) {
    await client.query(`
      CREATE SCHEMA IF NOT EXISTS sekali;
      CREATE TABLE sekali.schema (version integer NOT NULL, oldest_program integer NOT NULL);
      INSERT INTO sekali.schema VALUES (0, 0);`);
  }
  for (const { sql, finish } of MIGRATIONS.slice(from)) {
    await client.query(sql);
    await finish?.(client);
  }
  await ensurePartitions(client, { partitionPositions });
  const oldest = Math.min(...MIGRATIONS.slice(from).map(({ oldestProgram }) => oldestProgram));
  await client.query({
    text: 'UPDATE sekali.schema SET version = $1, oldest_program = greatest(oldest_program, $2)',
    values: [SCHEMA_VERSION, oldest],
  });
}

/** Finds out whether this program can work on the database as it is. @throws SekaliError `schema_newer`, `schema_older` */
export async function checkSchema(client: SqlClient): Promise<void> {
  const schema = await readSchema(client);
  refuseNewer(schema);
  if (schema.version < SCHEMA_VERSION) {
    throw new SekaliError(
      'schema_older',
      `the database has schema ${schema.version}, this Sekali needs ${SCHEMA_VERSION}: run sekali migrate`,
    );
  }
}

function refuseNewer({ version, oldestProgram }: Schema): void {
  if (version <= SCHEMA_VERSION || oldestProgram <= SCHEMA_VERSION) return;
  throw new SekaliError(
    'schema_newer',
    `the database has schema ${version}, which takes programs from schema ${oldestProgram} on; this Sekali knows schemas up to ${SCHEMA_VERSION}: start a newer Sekali`,
  );
}

async function readSchema(client: SqlClient): Promise<Schema> {
  const { rows: found } = await client.query("SELECT to_regclass('sekali.schema') IS NOT NULL AS known");
  if (found[0].known !== true) return { version: 0, oldestProgram: 0 };
  const { rows } = await client.query('SELECT version, oldest_program FROM sekali.schema');
  return { version: rows[0].version as number, oldestProgram: rows[0].oldest_program as number };
}

/** Migrates a database by itself: `sekali migrate`. @returns what it had before */
export async function migrateDatabase(databaseUrl: string): Promise<Schema> {
  const client = await connect(databaseUrl);
  try {
    return await migrate(client);
  } finally {
    await client.end();
  }
}
