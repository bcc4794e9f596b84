import { connect, type SqlClient } from './connection.ts';

/** A connection that writes. It does one thing at a time, in the order in which it is asked. */
export class Writer {
  readonly #client: SqlClient;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(client: SqlClient) {
    this.#client = client;
  }

  /** @throws SekaliError as `connect` */
  static async open(databaseUrl: string): Promise<Writer> {
    return new Writer(await connect(databaseUrl));
  }

  /** Calls back when all that was asked before is done. */
  run<T>(call: (client: SqlClient) => Promise<T>): Promise<T> {
    const result = this.#last.then(() => call(this.#client));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Ends the connection at once: what goes on over it fails. */
  async close(): Promise<void> {
    await this.#client.end().catch(() => {});
  }
}
