import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** The publishes that have come to the server, and whose answers have not left. */
export class UnderWay {
  readonly #publishes = new Set<Promise<void>>();

  /** @param app one that does not listen yet. Behind the failures: what is stalled is under way for ever, and stores nothing */
  constructor(app: FastifyInstance) {
    app.addHook('onRequest', async (request, reply) => {
      if (request.routeOptions.url !== '/publish') return;
      const ended = new Promise<void>((resolve) => reply.raw.once('close', resolve));
      this.#publishes.add(ended);
      void ended.then(() => this.#publishes.delete(ended));
    });
  }

  /** Resolves once those that have come by now have ended; after so many milliseconds also while some have not. */
  async ended(timeoutMs: number): Promise<void> {
    const enough = new AbortController();
    const { signal } = enough;
    await Promise.race([
      Promise.all(this.#publishes),
      sleep(timeoutMs, undefined, { signal, ref: false }).catch(() => {}),
    ]);
    enough.abort();
  }
}
