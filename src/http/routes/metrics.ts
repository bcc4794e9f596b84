import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.ts';
import type { Parts } from '../parts.ts';
import { readQuery } from '../query.ts';

export function addMetricsRoute(app: FastifyInstance, parts: Parts): void {
  let metrics: Promise<Metrics> | undefined;

  app.get('/metrics', async (request, reply) => {
    readQuery({}, request.query);
    // Figures of the process are watched from the first time that somebody asks: nobody else pays for it.
    metrics ??= import('../metrics.ts').then(({ Metrics }) => new Metrics(parts));
    const { contentType, text } = await (await metrics).print();
    return await reply.type(contentType).send(text);
  });
}
