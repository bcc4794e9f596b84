import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SekaliError } from '../errors.ts';
import { toProblem } from '../http/problem.ts';
import { MEDIA_PROBLEM } from '../protocol/wire.ts';
import { checkFailure, invalid } from './check-failure.ts';
import type { FailureKind, FailureOptions, PlannedFailure } from './failure-options.ts';

interface Planned extends PlannedFailure {
  left: number;
  readonly how: FailureKind;
  readonly method: string;
  /** As the router has it: `/subscriptions/:name/ack`. */
  readonly route: string;
  readonly status: number;
  readonly retryAfterS: number | undefined;
}

const ASKED_FOR = 'a test has asked for this failure';

/** The failures that were asked for, and the requests that they meet. Of two for the same request, the first one comes first. */
export class Failures {
  readonly #app: FastifyInstance;
  #planned: Planned[] = [];
  /** Requests whose answer is to be lost. */
  readonly #losing = new WeakSet<FastifyRequest>();
  readonly #stalled = new Set<Socket>();

  /** @param app one that does not listen yet. Behind its own checks: who has no key is told so, as always */
  constructor(app: FastifyInstance) {
    this.#app = app;
    app.addHook('onRequest', async (request, reply) => {
      const failure = this.#take(request);
      return failure && this.#fail(failure, request, reply);
    });
    app.addHook('onSend', async (request) => {
      if (this.#losing.has(request)) request.raw.socket.destroy();
    });
  }

  /** @throws TypeError that names the member and its rule */
  plan(options: FailureOptions = {}): PlannedFailure {
    checkFailure(options);
    const { how = 'refused', times = 1, of = 'POST /publish', status = 503 } = options;
    const { retryAfterS = status === 503 || status === 429 ? 0 : undefined } = options;
    const { method, route } = this.#routeOf(of);
    if (how === 'answer_lost' && route === '/stream')
      throw new TypeError(
        'failNext: a stream has no one answer that could be lost; `how: "cut"` closes it as it begins',
      );
    const planned: Planned = {
      how,
      method,
      route,
      status,
      retryAfterS,
      left: times,
      end: () => {
        planned.left = 0;
      },
    };
    this.#planned.push(planned);
    return planned;
  }

  /** Ends all of them. Requests that are stalled stay so. */
  clear(): void {
    for (const one of this.#planned) one.end();
    this.#planned = [];
  }

  /** Closes the connections of all that is stalled. */
  release(): void {
    for (const socket of this.#stalled) socket.destroy();
  }

  #routeOf(of: string): { method: string; route: string } {
    const [, method = '', path = ''] = /^([A-Z]+) (\/\S*)$/.exec(of) ?? [];
    const route = path.replaceAll(/\{(\w+)\}/g, ':$1');
    if (method !== '' && this.#app.hasRoute({ method, url: route })) return { method, route };
    throw invalid('of', 'a method and a path of PROTOCOL.md, as "POST /subscriptions/{name}/ack"', of);
  }

  #take({ method, routeOptions }: FastifyRequest): Planned | undefined {
    this.#planned = this.#planned.filter(({ left }) => left > 0);
    const failure = this.#planned.find((one) => one.method === method && one.route === routeOptions.url);
    if (failure !== undefined) failure.left--;
    return failure;
  }

  /** @returns undefined when the request goes on */
  #fail(failure: Planned, request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const { socket } = request.raw;
    if (failure.how === 'refused') return refuse(failure, reply);
    if (failure.how === 'answer_lost') {
      this.#losing.add(request);
      return undefined;
    }
    if (failure.how === 'cut') socket.destroy();
    else this.#stalled.add(socket.once('close', () => this.#stalled.delete(socket)));
    return reply.hijack();
  }
}

function refuse({ status, retryAfterS }: Planned, reply: FastifyReply): FastifyReply {
  reply.code(status);
  if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS));
  const code = status === 503 ? 'store_unavailable' : status === 500 ? 'internal' : undefined;
  if (code === undefined) return reply.type('text/plain').send(`${ASKED_FOR}\n`);
  return reply.type(MEDIA_PROBLEM).send(JSON.stringify(toProblem(new SekaliError(code, ASKED_FOR))));
}
