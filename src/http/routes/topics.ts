import type { FastifyInstance } from 'fastify';
import { formatInstant } from '../../instant.ts';
import { PAGE_LIMIT_MAX, type TopicsAnswer } from '../../protocol/wire.ts';
import { integer } from '../../settings.ts';
import type { Parts } from '../parts.ts';
import { name, parameter, readQuery } from '../query.ts';

export const TOPICS_PARAMETERS = {
  after: parameter(name, undefined),
  limit: parameter(integer(1, PAGE_LIMIT_MAX), PAGE_LIMIT_MAX),
};

export function addTopicsRoute(app: FastifyInstance, { reader }: Parts): void {
  app.get('/topics', async (request): Promise<TopicsAnswer> => {
    const { after, limit } = readQuery(TOPICS_PARAMETERS, request.query);
    const found = await reader.topics({ after, limit: limit + 1 });
    const page = found.slice(0, limit);
    return {
      count: page.length,
      topics: page.map((topic) => ({
        ...topic,
        first_at: formatInstant(topic.first_at),
        last_at: formatInstant(topic.last_at),
      })),
      next: found.length > page.length ? (page.at(-1)?.topic ?? null) : null,
    };
  });
}
