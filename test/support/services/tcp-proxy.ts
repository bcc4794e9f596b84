import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free-port.ts';

/** The two halves of a connection: from the client, and on to the server. */
type Pair = readonly [Socket, Socket];

/**
 * A network between a client and a server of this machine that a test can break. It is
 *
 * - whole: bytes pass both ways;
 * - frozen: connections stay and new ones are taken, but nothing passes, as when packets are dropped. What was sent
 *   meanwhile passes once it is whole again;
 * - cut: there are no connections, and new ones are refused.
 */
export class TcpProxy {
  /** Where it listens, on 127.0.0.1: the same after `cut` and `heal`. */
  readonly port: number;
  readonly #target: number;
  readonly #pairs = new Set<Pair>();
  #server: Server | undefined;
  #frozen = false;

  private constructor(port: number, target: number) {
    this.port = port;
    this.#target = target;
  }

  /** A whole network to this port of 127.0.0.1. */
  static async to(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(await freePort(), target);
    await proxy.heal();
    return proxy;
  }

  /** The URL of a server behind it, by way of it. */
  url(direct: string): string {
    const through = new URL(direct);
    through.hostname = '127.0.0.1';
    through.port = String(this.port);
    return through.href;
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#pairs.size;
  }

  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server && once(server, 'close');
    server?.close();
    for (const pair of this.#pairs) destroy(pair);
    await closed;
  }

  freeze(): void {
    this.#frozen = true;
    for (const pair of this.#pairs) hold(pair);
  }

  async heal(): Promise<void> {
    this.#frozen = false;
    for (const pair of this.#pairs) pass(pair);
    if (this.#server !== undefined) return;
    this.#server = createServer((client) => this.#take(client)).listen(this.port, '127.0.0.1');
    // A test that forgets it still ends, hence also the `unref` of its sockets.
    this.#server.unref();
    await once(this.#server, 'listening');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut();
  }

  #take(client: Socket): void {
    const pair = [client, connect(this.#target, '127.0.0.1')] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay().unref();
      // Whatever ends one half ends the other; `close` follows every error.
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#pairs.delete(pair);
        destroy(pair);
      });
    }
    if (!this.#frozen) pass(pair);
  }
}

function pass([client, server]: Pair): void {
  client.pipe(server);
  server.pipe(client);
}

/** A stream that is piped nowhere is not read either. */
function hold([client, server]: Pair): void {
  client.unpipe(server);
  server.unpipe(client);
}

function destroy(pair: Pair): void {
  for (const socket of pair) socket.destroy();
}
