import type { FastifyInstance } from 'fastify';
import type { HealthAnswer } from '../../protocol/wire.ts';
import { toggle } from '../../settings.ts';
import type { Parts } from '../parts.ts';
import { RETRY_AFTER_S } from '../problem.ts';
import { parameter, readQuery } from '../query.ts';

/** `?verbose`, `?verbose=` and `?verbose=true` all switch it on, as with Kubernetes' own. */
const verboseSwitch: typeof toggle = {
  ...toggle,
  read: (given) => (given === '' ? { value: true } : toggle.read(given)),
};

export const READYZ_PARAMETERS = { verbose: parameter(verboseSwitch, false) };

export function addHealthRoutes(app: FastifyInstance, parts: Parts): void {
  const { admission, queue, reader, lifecycle } = parts;

  /** What stands in the way of storing an event now. */
  async function failing(): Promise<{ part: string; reason: string }[]> {
    const found: { part: string; reason: string }[] = [];
    if (lifecycle.draining) found.push({ part: 'server', reason: 'shutting down' });
    if (queue.downReason !== undefined) found.push({ part: 'database', reason: queue.downReason });
    else {
      try {
        await reader.lastPosition();
      } catch (error) {
        found.push({ part: 'database', reason: error instanceof Error ? error.message : String(error) });
      }
    }
    if (admission.isFull) found.push({ part: 'queue', reason: 'full' });
    return found;
  }

  app.get('/livez', async (request, reply) => {
    readQuery({}, request.query);
    return await reply.type('text/plain; charset=utf-8').send('ok\n');
  });

  app.get('/readyz', async (request, reply) => {
    const { verbose } = readQuery(READYZ_PARAMETERS, request.query);
    const faults = await failing();
    reply.type('text/plain; charset=utf-8');
    if (faults.length > 0) reply.code(503).header('retry-after', String(RETRY_AFTER_S));
    const verdict = faults.length === 0 ? 'ok\n' : 'not ready\n';
    if (!verbose) return await reply.send(verdict);
    const lines = ['server', 'database', 'queue'].map((part) => {
      const fault = faults.find((found) => found.part === part);
      return fault ? `[-] ${part}: ${fault.reason}\n` : `[+] ${part}: ok\n`;
    });
    return await reply.send(lines.join('') + verdict);
  });

  app.get('/health', async (request, reply): Promise<HealthAnswer> => {
    readQuery({}, request.query);
    const faults = await failing();
    const isWell = (part: string) => faults.every((fault) => fault.part !== part);
    const parts = { database: isWell('database'), queue: isWell('queue'), uptime_seconds: lifecycle.uptimeS };
    if (faults.length === 0) return { status: 'healthy', ...parts };
    reply.code(503).header('retry-after', String(RETRY_AFTER_S));
    return { status: 'unhealthy', ...parts, failing: faults };
  });
}
