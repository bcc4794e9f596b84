import type { FastifyInstance } from 'fastify';
import { MEDIA_JSON, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '../../protocol/wire.ts';
import { integer } from '../../settings.ts';
import { printConflict } from '../../store/print-event.ts';
import type { Parts } from '../parts.ts';
import { name, parameter, readQuery } from '../query.ts';

export const CONFLICTS_PARAMETERS = {
  topic: parameter(name, undefined),
  event_id: parameter(name, undefined),
  before: parameter(integer(0, Number.MAX_SAFE_INTEGER), undefined),
  limit: parameter(integer(1, PAGE_LIMIT_MAX), PAGE_LIMIT_DEFAULT),
};

export function addConflictsRoute(app: FastifyInstance, { reader }: Parts): void {
  app.get('/conflicts', async (request, reply) => {
    const query = readQuery(CONFLICTS_PARAMETERS, request.query);
    const conflicts = await reader.conflicts({ ...query, limit: query.limit + 1 });
    const page = conflicts.slice(0, query.limit);
    const next = conflicts.length > page.length ? page.at(-1)?.number : undefined;
    const json = `{"count":${page.length},"conflicts":[${page.map(printConflict).join(',')}],"next":${next ?? 'null'}}`;
    return await reply.type(MEDIA_JSON).send(json);
  });
}
