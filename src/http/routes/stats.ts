import type { FastifyInstance } from 'fastify';
import type { QueueAnswer, StatsAnswer } from '../../protocol/wire.ts';
import type { Parts } from '../parts.ts';
import { readQuery } from '../query.ts';
import { readStoreAndQueue } from '../totals.ts';

/** Names in the answer of /stats; /topics pages through any number. */
export const TOPICS_SHOWN = 1000;

export function addStatsRoutes(app: FastifyInstance, parts: Parts): void {
  const { config, admission, queue, reader, lifecycle, backlog, workers } = parts;

  app.get('/stats', async (request): Promise<StatsAnswer> => {
    readQuery({}, request.query);
    const [totals, topics] = await Promise.all([
      readStoreAndQueue(parts),
      reader.topics({ after: undefined, limit: TOPICS_SHOWN }),
    ]);
    const { received, unique_processed, duplicate_dropped, conflicts, rejected, queued, dead_lettered } =
      totals;
    const settled = unique_processed + duplicate_dropped;
    return {
      received,
      unique_processed,
      duplicate_dropped,
      conflicts,
      rejected,
      queued,
      dead_lettered,
      dedup_rate_percent: settled === 0 ? 0 : Math.round((10_000 * duplicate_dropped) / settled) / 100,
      topics: topics.map(({ topic }) => topic),
      uptime_seconds: lifecycle.uptimeS,
    };
  });

  app.get('/queue/stats', async (request): Promise<QueueAnswer> => {
    readQuery({}, request.query);
    const { queue_bytes, queue_bytes_max, ...figures } = await queueFigures();
    return {
      ...figures,
      queue_size_max: config.queueRequestsMax,
      queue_bytes,
      queue_bytes_max,
      key_count: queue.keyStats.keys,
      key_index_bytes: queue.keyStats.bytes,
      sealed_key_count: queue.keyStats.sealedKeys,
      sealed_key_bytes: queue.keyStats.sealedBytes,
    };
  });

  async function queueFigures() {
    if (backlog === undefined) {
      return {
        queue_size: queue.size,
        queue_type: 'memory',
        worker_count: 1,
        workers_enabled: true,
        queue_bytes: admission.bytes,
        queue_bytes_max: config.queueBytesMax,
      };
    }
    const { type, entries, bytes, bytesMax } = await backlog.state();
    return {
      queue_size: entries,
      queue_type: type,
      worker_count: workers?.count ?? 0,
      workers_enabled: workers !== undefined,
      queue_bytes: bytes,
      queue_bytes_max: bytesMax,
    };
  }
}
