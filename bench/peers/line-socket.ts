import { connect, type Socket } from 'node:net';

/** A connection of a protocol whose answers are lines. */
export class LineSocket {
  readonly #socket: Socket;
  readonly #onLine: (line: string) => void;
  #rest = '';

  private constructor(socket: Socket, onLine: (line: string) => void, onError: (error: Error) => void) {
    this.#socket = socket;
    this.#onLine = onLine;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      try {
        this.#read(text);
      } catch (error) {
        onError(error as Error);
      }
    });
    socket.on('error', onError);
    socket.on('end', () => onError(new Error('the server closed the connection')));
  }

  static open(
    url: string,
    onLine: (line: string) => void,
    onError: (error: Error) => void,
  ): Promise<LineSocket> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => resolve(new LineSocket(socket, onLine, onError)));
    });
  }

  write(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.removeAllListeners('end').destroy();
  }

  #read(text: string): void {
    const seen = this.#rest + text;
    let from = 0;
    for (let end = seen.indexOf('\r\n'); end >= 0; end = seen.indexOf('\r\n', from)) {
      this.#onLine(seen.slice(from, end));
      from = end + 2;
    }
    this.#rest = seen.slice(from);
  }
}
