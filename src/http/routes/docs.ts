import type { FastifyInstance } from 'fastify';
import { openapi } from '../../protocol/openapi.ts';
import { renderDocs } from '../docs-page.ts';

export function addDocsRoutes(app: FastifyInstance): void {
  const page = renderDocs(openapi);
  app.get('/openapi.json', async () => openapi);
  app.get('/docs', async (_request, reply) => {
    return await reply
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'")
      .type('text/html; charset=utf-8')
      .send(page);
  });
}
