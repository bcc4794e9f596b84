import { connect, fromDatabase, type SqlClient, type SqlQuery, type SqlResult } from './connection.ts';

/** The driver knows no "for ever": 24 days, the most that a timer takes. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** A connection with one long transaction, which no time limit of short ones cuts. */
export class LongTransaction {
  readonly client: SqlClient;

  private constructor(client: SqlClient) {
    this.client = client;
  }

  /** @param begin how the transaction begins */
  static async open(
    databaseUrl: string,
    begin: string,
    prepare: (client: SqlClient) => Promise<void> = () => Promise.resolve(),
  ): Promise<LongTransaction> {
    const client = await connect(databaseUrl);
    try {
      await prepare(client);
      await client.query(`
        ${begin};
        SET LOCAL statement_timeout = 0;
        SET LOCAL idle_in_transaction_session_timeout = 0;`);
      return new LongTransaction(client);
    } catch (error) {
      await client.end().catch(() => {});
      throw fromDatabase(error);
    }
  }

  /** @throws SekaliError `store_unavailable`, `config_invalid`; its cause is what the driver said */
  async query(query: SqlQuery | string): Promise<SqlResult> {
    const given = typeof query === 'string' ? { text: query } : query;
    const patient: SqlQuery & { query_timeout: number } = { ...given, query_timeout: NO_TIMEOUT_MS };
    try {
      return await this.client.query(patient);
    } catch (error) {
      throw fromDatabase(error);
    }
  }

  /** Ends the connection; what has not been committed is undone by it. */
  async close(): Promise<void> {
    await this.client.end().catch(() => {});
  }
}
