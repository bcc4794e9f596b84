import { connect, type Socket } from 'node:net';
import { type Answer, AnswerParser } from './answer-parser.ts';

/**
 * A keep-alive connection with at most one request under way, on a bare socket: Node's own HTTP client costs more than
 * half of what the server costs, and shares its cores. Processor time of the whole load generator, medians of 3 in one
 * run: one event a request 15 µs, where it was 48.5; batches of 500 0.4 µs an event, where it was 2.9.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #parser = new AnswerParser();
  #onAnswer: ((answer: Answer) => void) | undefined;
  readonly #onError: (error: Error) => void;

  private constructor(port: number, host: string, onError: (error: Error) => void) {
    this.#onError = onError;
    const onread = {
      buffer: Buffer.allocUnsafe(65_536),
      callback: (bytes: number, buffer: Uint8Array) => this.#take(buffer as Buffer, bytes),
    };
    this.#socket = connect({ port, host, noDelay: true, onread });
    this.#socket.on('error', onError);
    this.#socket.on('close', () => {
      if (this.#onAnswer)
        onError(new Error('the server closed a connection on which a request was under way'));
    });
  }

  /** Resolves when it is connected. Whatever goes wrong afterwards goes to `onError`. */
  static open(url: string, onError: (error: Error) => void): Promise<Connection> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        reject(error);
        onError(error);
      };
      const connection = new Connection(Number(port), hostname, fail);
      connection.#socket.once('connect', () => resolve(connection));
    });
  }

  get isIdle(): boolean {
    return this.#onAnswer === undefined;
  }

  /** Sends a whole request, whose bytes may be used again once the answer is there. */
  send(request: Uint8Array, onAnswer: (answer: Answer) => void): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(request);
  }

  /** `send` for those who have one question. */
  ask(request: Uint8Array): Promise<Answer> {
    return new Promise((resolve) => this.send(request, resolve));
  }

  close(): void {
    this.#onAnswer = undefined;
    this.#socket.destroy();
  }

  #take(buffer: Buffer, bytes: number): boolean {
    try {
      const answer = this.#parser.push(buffer.subarray(0, bytes));
      if (answer === undefined) return true;
      const onAnswer = this.#onAnswer;
      if (onAnswer === undefined) throw new Error(`an answer that nobody asked for: ${answer.status}`);
      this.#onAnswer = undefined;
      onAnswer(answer);
    } catch (error) {
      this.#onError(error as Error);
    }
    return true;
  }
}
