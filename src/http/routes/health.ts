import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { HealthAnswer } from '../../protocol/wire.ts';
import { type Kind, toggle } from '../../settings.ts';
import type { Authoriser } from '../auth.ts';
import { type Fault, findFaults, PARTS, type Part } from '../faults.ts';
import type { Parts } from '../parts.ts';
import { RETRY_AFTER_S } from '../problem.ts';
import { parameter, readQuery } from '../query.ts';
import { readRemarks } from '../remarks.ts';

/** To whoever has no key, of a server that has one. */
const WITHHELD = 'the reason is told with the API key, and in the log';

/** `?verbose`, `?verbose=` and `?verbose=true` all switch it on, as with Kubernetes' own. */
const verboseSwitch: typeof toggle = {
  ...toggle,
  read: (given) => (given === '' ? { value: true } : toggle.read(given)),
};

/** The server itself cannot be left out: one that is told to stop takes nothing. */
const EXCLUDABLE: readonly Part[] = ['database', 'queue'];

const partList: Kind<readonly Part[]> = {
  isSwitch: false,
  read(given) {
    const value = given.split(',').map((word) => EXCLUDABLE.find((part) => part === word));
    return value.every((part) => part !== undefined)
      ? { value }
      : { rule: `a list of ${EXCLUDABLE.join(', ')}, with commas between them` };
  },
};

export const READYZ_PARAMETERS = {
  verbose: parameter(verboseSwitch, false),
  exclude: parameter(partList, undefined),
};

export function addHealthRoutes(app: FastifyInstance, parts: Parts, authoriser: Authoriser): void {
  const { lifecycle } = parts;

  async function faultsFor({ headers }: FastifyRequest): Promise<Fault[]> {
    const faults = await findFaults(parts);
    return authoriser.mayKnow(headers) ? faults : faults.map(({ part }) => ({ part, reason: WITHHELD }));
  }

  app.get('/livez', async (request, reply) => {
    readQuery({}, request.query);
    return await reply.type('text/plain; charset=utf-8').send('ok\n');
  });

  app.get('/readyz', async (request, reply) => {
    const { verbose, exclude = [] } = readQuery(READYZ_PARAMETERS, request.query);
    const faults = await faultsFor(request);
    const isReady = faults.every(({ part }) => exclude.includes(part));
    reply.type('text/plain; charset=utf-8');
    if (!isReady) reply.code(503).header('retry-after', String(RETRY_AFTER_S));
    const verdict = isReady ? 'ok\n' : 'not ready\n';
    if (!verbose) return await reply.send(verdict);
    const lines = PARTS.map((part) => lineOf(part, faults));
    const remarks = authoriser.mayKnow(request.headers) ? await readRemarks(parts) : [];
    return await reply.send([...lines, ...remarks.map((remark) => `[i] ${remark}\n`), verdict].join(''));
  });

  app.get('/health', async (request, reply): Promise<HealthAnswer> => {
    readQuery({}, request.query);
    const faults = await faultsFor(request);
    const isWell = (part: string) => faults.every((fault) => fault.part !== part);
    const answer = {
      database: isWell('database'),
      queue: isWell('queue'),
      uptime_seconds: lifecycle.uptimeS,
    };
    if (faults.length === 0) return { status: 'healthy', ...answer };
    reply.code(503).header('retry-after', String(RETRY_AFTER_S));
    return { status: 'unhealthy', ...answer, failing: faults };
  });
}

function lineOf(part: string, faults: readonly Fault[]): string {
  const reasons = faults.filter((fault) => fault.part === part).map(({ reason }) => reason);
  return reasons.length === 0 ? `[+] ${part}: ok\n` : `[-] ${part}: ${reasons.join('; ')}\n`;
}
