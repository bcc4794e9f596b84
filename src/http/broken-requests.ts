import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { SekaliError } from '../errors.ts';
import { MEDIA_PROBLEM } from '../protocol/wire.ts';
import { toProblem } from './problem.ts';

/**
 * Answers what cannot be read as a request: broken HTTP, headers without end, a body that does not come. There is no
 * request to answer then, only a connection, so the answer is written by hand; and only where the client must take it for
 * the answer to what is broken. While an earlier request waits for its commit, a 400 would be taken for the verdict on
 * that one.
 */
export class BrokenRequests {
  /** Answers that are not finished, by connection. */
  readonly #open = new WeakMap<Duplex, Set<ServerResponse>>();

  /** Keeps count of the answers that a server has under way. */
  watch(server: Server): void {
    server.prependListener('request', ({ socket }, response) => {
      const open = this.#open.get(socket) ?? new Set();
      this.#open.set(socket, open.add(response));
      response.once('close', () => open.delete(response));
    });
  }

  refuse(error: Error & { code?: string }, socket: Duplex): void {
    if (!socket.writable || !this.#isFree(socket)) {
      socket.destroy();
      return;
    }
    const problem = toProblem(toFailure(error));
    const body = JSON.stringify(problem);
    const head = [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `content-type: ${MEDIA_PROBLEM}`,
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  }

  /** Nothing is under way, or nothing but the broken request itself, of which nothing has been answered. */
  #isFree(socket: Duplex): boolean {
    const open = [...(this.#open.get(socket) ?? [])];
    const [first, ...more] = open;
    return first === undefined || (more.length === 0 && !first.headersSent && !first.req.complete);
  }
}

function toFailure({ code, message }: Error & { code?: string }): SekaliError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new SekaliError('request_timeout', 'the request took too long to arrive');
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new SekaliError('headers_too_large', 'the address and the headers must be shorter');
  }
  return new SekaliError('request_invalid', message);
}
