import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../log.ts';
import { MEDIA_PROBLEM } from '../protocol/wire.ts';
import { RETRY_AFTER_S, toProblem, toSekaliError } from './problem.ts';

/** Answers whatever a route or a hook throws with a problem document. */
export function answerFailures(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error, request, reply) => answerFailure(error, request, reply, log));
}

export function answerFailure(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
): FastifyReply {
  const failure = toSekaliError(error);
  if (failure.code === 'internal') log.error({ err: error, request: request.id }, 'a request failed');
  if (failure.retryable) reply.header('retry-after', String(RETRY_AFTER_S));
  if (failure.status === 401) reply.header('www-authenticate', 'Bearer realm="sekali", Basic realm="sekali"');
  const problem = Buffer.from(JSON.stringify(toProblem(failure)));
  reply.code(failure.status).type(MEDIA_PROBLEM);
  if (request.raw.complete || request.raw.destroyed) return reply.send(problem);
  reply.header('content-length', problem.length);
  return reply.send(Readable.from(lingering(request.raw, problem), { objectMode: false }));
}

/**
 * An answer to a client that is still sending: complete for the client at once, for us not before the request is. The
 * connection would be closed or used again after it, and a client that finds it closed while it sends reports that
 * instead of the answer (RFC 9112 section 9.6).
 */
async function* lingering(request: IncomingMessage, answer: Buffer): AsyncGenerator<Buffer> {
  yield answer;
  await discard(request);
}

/** Bytes of a refused body that are read and thrown away before the connection is cut. */
const DISCARDED_MAX = 64 * 1024 * 1024;

/** Reads on what comes of a request, and forgets it. How long that may take, the timeout of the request says. */
async function discard(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  await new Promise<void>((resolve) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > DISCARDED_MAX) request.destroy();
    });
    request.once('end', resolve);
    request.once('close', resolve);
    request.resume();
  });
}
