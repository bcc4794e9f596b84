import type { FastifyInstance } from 'fastify';
import { describeApi } from '../../protocol/openapi.ts';
import { version } from '../../version.ts';
import { renderDocs } from '../docs-page.ts';
import type { Parts } from '../parts.ts';
import { readQuery } from '../query.ts';

export function addDocsRoutes(app: FastifyInstance, { config }: Pick<Parts, 'config'>): void {
  const { bodyBytesMax, eventBytesMax, depthMax, eventsMax } = config;
  const api = describeApi({ version, bodyBytesMax, eventBytesMax, depthMax, eventsMax });
  const page = renderDocs(api);

  app.get('/openapi.json', async (request) => {
    readQuery({}, request.query);
    return api;
  });

  app.get('/docs', async (request, reply) => {
    readQuery({}, request.query);
    return await reply
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'")
      .type('text/html; charset=utf-8')
      .send(page);
  });
}
