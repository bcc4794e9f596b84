import { SekaliError } from '../../errors.ts';
import { messageOf } from '../../message-of.ts';

/** What is needed of a connection of the `pg` package. */
export interface SqlClient {
  query(query: SqlQuery | string): Promise<SqlResult>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface SqlQuery {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** Prepared once a connection, under this name. */
  readonly name?: string;
  readonly rowMode?: 'array';
  /** How values of results are read; by default by their type. */
  readonly types?: { getTypeParser(): (value: unknown) => unknown };
}

/** Of a query: every value comes as the text of the server. */
export const AS_TEXT = { getTypeParser: () => (value: unknown) => value };

export interface SqlResult {
  // Rows are what a statement asked for: whoever wrote it knows their shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly rows: any[];
}

/** Time to connect, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5000;

/** Time for one statement, in milliseconds: longer than any takes. The server ends it then, and says so. */
const STATEMENT_TIMEOUT_MS = 20_000;

/**
 * After which a connection is given up whose other end has gone without a word, in milliseconds: a server that is there has
 * spoken before. It is told to look itself whether the client is still there.
 */
export const QUERY_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 3000;

/**
 * Time to wait for a lock, in milliseconds. Well below that of the statement, so that whoever is kept out by another (VACUUM
 * FULL, an import) fails for that reason, and not for having too much to do.
 */
const LOCK_TIMEOUT_MS = 10_000;

/**
 * Opens a connection that writes.
 *
 * `synchronous_commit` may be anything that waits for the disk of this server at least: `off` answers before it, so that a crash
 * takes acknowledged events.
 *
 * @throws SekaliError `store_unavailable` when the server cannot be reached or does not take writes; `config_invalid` when it
 *   is one that Sekali cannot work with, or refuses the user
 */
export async function connect(databaseUrl: string): Promise<SqlClient> {
  const client = makeClient(await loadDriver(), databaseUrl);
  // Told by the query that it breaks; without a listener it would end the process.
  client.on('error', () => {});
  try {
    await (client as SqlClient & { connect(): Promise<void> }).connect();
    await settle(client);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw fromDatabase(error);
  }
}

interface Driver {
  readonly Client: new (options: Readonly<Record<string, unknown>>) => SqlClient;
  readonly Pool: new (options: Readonly<Record<string, unknown>>) => unknown;
}

export async function loadDriver(): Promise<Driver> {
  try {
    return (await import('pg')).default;
  } catch (cause) {
    throw new SekaliError('config_invalid', 'a database URL needs the package pg: npm install pg', { cause });
  }
}

/** The driver reads the URL here, and the certificates that it names. @throws SekaliError `config_invalid` */
export function makeClient({ Client }: Driver, databaseUrl: string): SqlClient {
  try {
    return new Client({
      connectionString: databaseUrl,
      application_name: 'sekali',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
    });
  } catch (error) {
    // Without it as the cause: it may quote the URL, and the URL may have a password. Of a file it tells the path.
    const isOfFile = error instanceof Error && 'syscall' in error;
    throw new SekaliError(
      'config_invalid',
      isOfFile
        ? `a file that the URL of PostgreSQL names cannot be read: ${error.message}`
        : 'the URL of PostgreSQL is not valid: it must look like postgres://user:password@host:5432/database, with %XX for what has a meaning in a URL',
    );
  }
}

/** The oldest PostgreSQL that knows all that is used here. */
const SERVER_VERSION_MIN = 140_000;

/** Where the server's system cannot tell it that a client has gone (macOS, Windows), it takes no such setting. */
export const CHECK_CLIENT = `
    DO $$ BEGIN
      PERFORM set_config('client_connection_check_interval', '2s', false);
    EXCEPTION WHEN invalid_parameter_value THEN
    END $$`;

/**
 * Finds out whether a connection may write, and sets it up for it.
 *
 * @throws SekaliError `config_invalid`, `store_unavailable`
 */
export async function settle(client: Pick<SqlClient, 'query'>): Promise<void> {
  const { rows } = await client.query({
    text: `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
                  current_setting('synchronous_commit'), pg_is_in_recovery()`,
    rowMode: 'array',
  });
  const [version, encoding, synchronous, isStandby] = rows[0] as [number, string, string, boolean];
  if (version < SERVER_VERSION_MIN) {
    throw new SekaliError('config_invalid', 'PostgreSQL must be of version 14 or later');
  }
  if (encoding !== 'UTF8') {
    throw new SekaliError('config_invalid', `the database must have the encoding UTF8, not ${encoding}`);
  }
  if (isStandby)
    throw new SekaliError('store_unavailable', 'the database is a standby, which takes no writes');
  await client.query(`
    SET default_transaction_isolation = 'read committed';
    ${CHECK_CLIENT};
    SET statement_timeout = ${STATEMENT_TIMEOUT_MS};
    SET lock_timeout = ${LOCK_TIMEOUT_MS};
    SET idle_in_transaction_session_timeout = ${STATEMENT_TIMEOUT_MS};
    ${synchronous === 'off' ? 'SET synchronous_commit = on;' : ''}`);
}

/** SQLSTATE of an error that PostgreSQL has sent, or undefined. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in (error as object)
    ? code
    : undefined;
}

/** SQLSTATEs that another try does not help against, of a server that is there: the URL or what it leads to is wrong. */
const MISCONFIGURED = new Set(['28000', '28P01', '3D000', '42501', '3F000']);

/** An error of the driver or the server in the words of the catalogue. */
export function fromDatabase(error: unknown): SekaliError {
  if (error instanceof SekaliError) return error;
  const message = messageOf(error);
  const code = MISCONFIGURED.has(sqlStateOf(error) ?? '') ? 'config_invalid' : 'store_unavailable';
  return new SekaliError(code, `PostgreSQL: ${message}`, { cause: error });
}
