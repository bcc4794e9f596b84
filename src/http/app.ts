import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import cors from '@fastify/cors';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { SekaliError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { MEDIA_PROBLEM } from '../protocol/wire.ts';
import { Authoriser, isProbe } from './auth.ts';
import type { Parts } from './parts.ts';
import { RETRY_AFTER_S, toProblem, toSekaliError } from './problem.ts';
import { addConflictsRoute } from './routes/conflicts.ts';
import { addDocsRoutes } from './routes/docs.ts';
import { addEventsRoutes } from './routes/events.ts';
import { addHealthRoutes } from './routes/health.ts';
import { addPublishRoute } from './routes/publish.ts';
import { addStatsRoutes } from './routes/stats.ts';
import { addTopicsRoute } from './routes/topics.ts';

/** Characters of a path parameter: a name of 255 characters, each of four bytes, each byte escaped as %XX. */
const PATH_PARAMETER_MAX = 255 * 4 * 3;

/** The HTTP edge: limits, authorisation, problem documents, routes. */
export async function buildApp(parts: Parts, log: Logger): Promise<FastifyInstance> {
  const { config } = parts;
  const app = Fastify({
    loggerInstance: quiet(log),
    genReqId: () => randomUUID(),
    requestIdHeader: 'x-request-id',
    routerOptions: { maxParamLength: PATH_PARAMETER_MAX },
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: true,
    requestTimeout: config.requestTimeoutMs,
    connectionTimeout: config.idleTimeoutMs,
    keepAliveTimeout: config.idleTimeoutMs,
    http: { headersTimeout: config.headersTimeoutMs, connectionsCheckingInterval: 1000 },
    clientErrorHandler(error, socket) {
      refuseConnection(error, socket);
    },
  });
  app.server.maxConnections = config.connectionsMax;
  // By default Node answers 100 by itself; here the body is asked for once there is room for it (body.ts).
  app.server.on('checkContinue', (request, response) => app.server.emit('request', request, response));

  if (config.corsOrigins.length > 0)
    await app.register(cors, { origin: [...config.corsOrigins], maxAge: 600 });
  authorise(app, parts);
  logRequests(app, log);
  answerFailures(app, log);

  // Bodies are read by the one route that takes one.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  addPublishRoute(app, parts);
  addEventsRoutes(app, parts);
  addTopicsRoute(app, parts);
  addConflictsRoute(app, parts);
  addStatsRoutes(app, parts);
  addHealthRoutes(app, parts);
  addDocsRoutes(app);
  return app;
}

function authorise(app: FastifyInstance, { config, lifecycle }: Parts): void {
  const authoriser = new Authoriser(config);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    const path = request.url.split('?', 1)[0] ?? '';
    authoriser.check(path, request.headers);
    if (lifecycle.draining && !isProbe(path)) {
      throw new SekaliError(
        'shutting_down',
        'Sekali is shutting down: send the request again a little later',
      );
    }
  });
  // A connection that stayed open for a next request would keep the shutdown waiting for it.
  app.addHook('onSend', async (_request, reply) => {
    if (lifecycle.draining) reply.header('connection', 'close');
  });
}

/** What Fastify says of itself (that it listens, …) the server has said already; its warnings stay. */
function quiet(log: Logger): FastifyBaseLogger {
  return log.isLevelEnabled('info') ? log.child({}, { level: 'warn' }) : log;
}

/** One line a request, once it is answered: what it was, never what it carried. */
function logRequests(app: FastifyInstance, log: Logger): void {
  app.addHook('onResponse', async (request, reply) => {
    const line = {
      request: request.id,
      method: request.method,
      path: request.url.split('?', 1)[0],
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      remote: request.ip,
    };
    if (reply.statusCode >= 500 && reply.statusCode !== 503) log.error(line, 'answered');
    else log.debug(line, 'answered');
  });
}

function answerFailures(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error, request, reply) => {
    const failure = toSekaliError(error);
    if (failure.code === 'internal') log.error({ err: error, request: request.id }, 'a request failed');
    return sendProblem(request, reply, failure);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = METHODS.find(([pattern]) => pattern.test(path))?.[1];
    if (allowed === undefined) {
      return sendProblem(
        request,
        reply,
        new SekaliError('route_unknown', `there is nothing at ${path}; see /docs`),
      );
    }
    reply.header('allow', allowed);
    return sendProblem(request, reply, new SekaliError('method_refused', `${path} takes ${allowed}`));
  });
}

const METHODS: readonly (readonly [RegExp, string])[] = [
  [/^\/publish$/, 'POST'],
  [
    /^\/(events|events\/[^/]+\/[^/]+|topics|conflicts|stats|queue\/stats|health|livez|readyz|openapi\.json|docs)$/,
    'GET, HEAD',
  ],
];

function sendProblem(request: FastifyRequest, reply: FastifyReply, failure: SekaliError): FastifyReply {
  if (failure.retryable) reply.header('retry-after', String(RETRY_AFTER_S));
  if (failure.status === 401) reply.header('www-authenticate', 'Bearer realm="sekali", Basic realm="sekali"');
  drain(request);
  return reply
    .code(failure.status)
    .type(MEDIA_PROBLEM)
    .send(JSON.stringify(toProblem(failure)));
}

/** Bytes of a refused body that are read and thrown away before the connection is cut. */
const DRAIN_MAX = 64 * 1024 * 1024;

/**
 * Reads on what a refused client is still sending, and forgets it. Closing at once would reset the connection, and most
 * clients would then report that instead of the answer.
 */
function drain({ raw }: FastifyRequest): void {
  if (raw.complete) return;
  let bytes = 0;
  raw.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DRAIN_MAX) raw.destroy();
  });
  raw.resume();
}

/** What could not even be read as a request: answered as well as it can be. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const timedOut = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const status = timedOut ? '408 Request Timeout' : '400 Bad Request';
  const failure = new SekaliError(
    'request_invalid',
    timedOut ? 'the request took too long to arrive' : error.message,
  );
  const body = JSON.stringify({ ...toProblem(failure), status: timedOut ? 408 : 400 });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: ${MEDIA_PROBLEM}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
