import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SekaliError } from '../errors.ts';

/** The addresses that an application has, and which methods each takes: collected as its routes are added. */
export class Addresses {
  /** By the pattern of the address, as `/events/:topic/:event_id`. */
  readonly #methods = new Map<string, Set<string>>();

  /** @param app one that has no routes yet */
  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ url, method }) => {
      const methods = this.#methods.get(url) ?? new Set();
      this.#methods.set(url, methods);
      for (const one of [method].flat()) methods.add(one);
    });
  }

  /** Why a request that no route takes is refused. `Allow` gets what its address would take (RFC 9110 section 15.5.6). */
  refuse({ url }: FastifyRequest, reply: FastifyReply): SekaliError {
    const path = url.split('?', 1)[0] ?? '';
    const [, methods] = [...this.#methods].find(([pattern]) => matches(pattern, path)) ?? [];
    if (methods === undefined)
      return new SekaliError('route_unknown', `there is nothing at ${path}; see /docs`);
    const allowed = [...methods].sort().join(', ');
    reply.header('allow', allowed);
    return new SekaliError('method_refused', `${path} takes ${allowed}`);
  }
}

function matches(pattern: string, path: string): boolean {
  const segments = path.split('/');
  const wanted = pattern.split('/');
  return (
    wanted.length === segments.length &&
    wanted.every((segment, i) => segment.startsWith(':') || segment === segments[i])
  );
}
