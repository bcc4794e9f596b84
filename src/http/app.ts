import { randomUUID } from 'node:crypto';
import { type IncomingMessage, maxHeaderSize } from 'node:http';
import cors from '@fastify/cors';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Config } from '../config.ts';
import { SekaliError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { Addresses } from './addresses.ts';
import { Authoriser, isProbe } from './auth.ts';
import { BrokenRequests } from './broken-requests.ts';
import { answerFailure, answerFailures } from './failures.ts';
import { FetchLines } from './fetch-lines.ts';
import { JsonBodies } from './json-bodies.ts';
import type { Parts } from './parts.ts';
import { keepQuery } from './query.ts';
import { addConflictsRoute } from './routes/conflicts.ts';
import { addDeadLettersRoutes } from './routes/dead-letters.ts';
import { addDocsRoutes } from './routes/docs.ts';
import { addEventsRoutes } from './routes/events.ts';
import { addGapsRoute } from './routes/gaps.ts';
import { addHealthRoutes } from './routes/health.ts';
import { addLeasesRoutes } from './routes/leases.ts';
import { addMetricsRoute } from './routes/metrics.ts';
import { addPublishRoute } from './routes/publish.ts';
import { addStatsRoutes } from './routes/stats.ts';
import { addStreamRoute } from './routes/stream.ts';
import { addSubscriptionsRoutes } from './routes/subscriptions.ts';
import { addTopicsRoute } from './routes/topics.ts';
import { addWebhooksRoutes } from './routes/webhooks.ts';

/**
 * No route has a schema: what comes in is checked where its errors are told (`src/protocol`, `json-object.ts`). By default, Fastify loads
 * Ajv and fast-json-stringify at each start all the same, which are a sixth of all modules.
 */
const NO_SCHEMAS = { buildValidator: refuseSchema, buildSerializer: refuseSchema };

function refuseSchema(): never {
  throw new Error('routes have no schemas');
}

/** The HTTP edge: limits, authorisation, problem documents, routes. */
export async function buildApp(parts: Parts, log: Logger): Promise<FastifyInstance> {
  const { config } = parts;
  const broken = new BrokenRequests();
  const app = Fastify({
    ...timeouts(config),
    loggerInstance: quiet(log),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    // A name that is too long was never stored, which the route says; the headers have a bound of their own.
    routerOptions: { maxParamLength: maxHeaderSize, querystringParser: keepQuery },
    schemaController: { compilersFactory: NO_SCHEMAS },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: true,
    clientErrorHandler: (error, socket) => broken.refuse(error, socket),
    frameworkErrors(error, request, reply) {
      reply.header('x-request-id', request.id); // no hook runs for an address that cannot be read
      answerFailure(error, request, reply, log);
    },
  });
  broken.watch(app.server);
  app.server.maxConnections = config.connectionsMax;
  // By default Node answers 100 by itself; here the body is asked for once there is room for it (body.ts). Of any other
  // expectation a server need take no notice (RFC 9110 section 10.1.1).
  for (const event of ['checkContinue', 'checkExpectation']) {
    app.server.on(event, (request, response) => app.server.emit('request', request, response));
  }

  if (config.corsOrigins.length > 0) {
    const origin = [...config.corsOrigins];
    await app.register(cors, {
      origin,
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
      maxAge: 600,
      strictPreflight: false,
      exposedHeaders: ['etag', 'retry-after', 'x-request-id'],
    });
  }
  const addresses = new Addresses(app);
  const authoriser = new Authoriser(config);
  guard(app, parts, addresses, authoriser);
  logRequests(app, log);
  answerFailures(app, log);

  // Bodies are read by the one route that takes one.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  addPublishRoute(app, parts);
  addEventsRoutes(app, parts);
  addStreamRoute(app, parts);
  const subscriptions = { bodies: new JsonBodies(), lines: new FetchLines(parts) };
  addSubscriptionsRoutes(app, parts, subscriptions);
  addLeasesRoutes(app, parts, subscriptions);
  addDeadLettersRoutes(app, parts, subscriptions);
  addWebhooksRoutes(app, parts, subscriptions);
  addTopicsRoute(app, parts);
  addConflictsRoute(app, parts);
  addGapsRoute(app, parts);
  addStatsRoutes(app, parts);
  addMetricsRoute(app, parts);
  addHealthRoutes(app, parts, authoriser);
  addDocsRoutes(app, parts);
  return app;
}

function timeouts(config: Config) {
  const { idleTimeoutMs, requestTimeoutMs } = config;
  return {
    requestTimeout: requestTimeoutMs,
    connectionTimeout: idleTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
    http: {
      requestTimeout: requestTimeoutMs,
      // The headers are a part of the request: Node refuses to start with more time for the part than for the whole.
      headersTimeout: Math.min(config.headersTimeoutMs, requestTimeoutMs),
      connectionsCheckingInterval: Math.min(1000, requestTimeoutMs),
      requireHostHeader: false, // `guard` says so in a problem document
    },
  };
}

/** What everything else is behind: who asks for what, and whether it is there. */
function guard(
  app: FastifyInstance,
  { lifecycle }: Parts,
  addresses: Addresses,
  authoriser: Authoriser,
): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    const { raw, routeOptions } = request;
    if (raw.headers.host === undefined && raw.httpVersion === '1.1') {
      throw new SekaliError('request_invalid', 'a request must have a Host header (RFC 9112 section 3.2)');
    }
    authoriser.check({ route: routeOptions.url, method: request.method, headers: raw.headers });
    if (request.is404) throw addresses.refuse(request, reply);
    if (lifecycle.draining && !isProbe(routeOptions.url)) {
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

/** The client's own id of a request, if it is one that can go into a header and a log line as it is. */
function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID();
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
