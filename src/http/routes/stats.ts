import type { FastifyInstance } from 'fastify';
import type { QueueAnswer, StatsAnswer } from '../../protocol/wire.ts';
import type { Parts } from '../parts.ts';
import { readQuery } from '../query.ts';

/** Names in the answer of /stats; /topics pages through any number. */
export const TOPICS_SHOWN = 1000;

export function addStatsRoutes(
  app: FastifyInstance,
  { config, admission, queue, reader, lifecycle }: Parts,
): void {
  app.get('/stats', async (request): Promise<StatsAnswer> => {
    readQuery({}, request.query);
    const [counters, topics] = await Promise.all([
      reader.counters(),
      reader.topics({ after: undefined, limit: TOPICS_SHOWN }),
    ]);
    const { unique_processed, duplicate_dropped } = counters;
    const settled = unique_processed + duplicate_dropped;
    return {
      ...counters,
      // Nothing is taken before it is stored, and nothing that is stored can fail afterwards.
      queued: 0,
      dead_lettered: 0,
      dedup_rate_percent: settled === 0 ? 0 : Math.round((10_000 * duplicate_dropped) / settled) / 100,
      topics: topics.map(({ topic }) => topic),
      uptime_seconds: lifecycle.uptimeS,
    };
  });

  app.get('/queue/stats', async (request): Promise<QueueAnswer> => {
    readQuery({}, request.query);
    return {
      queue_size: queue.size,
      queue_type: 'memory',
      worker_count: 1,
      workers_enabled: true,
      queue_size_max: config.queueRequestsMax,
      queue_bytes: admission.bytes,
      queue_bytes_max: config.queueBytesMax,
      key_count: queue.keyStats.keys,
      key_index_bytes: queue.keyStats.bytes,
      sealed_key_count: queue.keyStats.sealedKeys,
      sealed_key_bytes: queue.keyStats.sealedBytes,
    };
  });
}
