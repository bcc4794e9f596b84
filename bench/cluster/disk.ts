import type { Cluster } from './cluster.ts';

/** What lies in the database, tables with their indexes, for so many events. */
export interface ClusterDisk {
  readonly events: number;
  readonly databaseBytes: number;
  readonly bytesPerEvent: number;
  /** The table of keys and its index: what remembering costs beyond the event itself. */
  readonly bytesPerKey: number;
  readonly indexBytesPerKey: number;
  /** The table of events and its indexes. */
  readonly logBytesPerEvent: number;
}

const SIZES = `
  SELECT
    (SELECT sum(unique_processed) FROM sekali.counters) AS events,
    pg_database_size(current_database()) AS database,
    pg_total_relation_size('sekali.keys') AS keys,
    pg_indexes_size('sekali.keys') AS key_indexes,
    (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('sekali.events')) AS log`;

export async function measureClusterDisk(cluster: Cluster): Promise<ClusterDisk> {
  const row =
    await cluster.ask<Record<'events' | 'database' | 'keys' | 'key_indexes' | 'log', string>>(SIZES);
  const events = Number(row.events);
  const perEvent = (bytes: string) => Math.round((10 * Number(bytes)) / events) / 10;
  return {
    events,
    databaseBytes: Number(row.database),
    bytesPerEvent: perEvent(row.database),
    bytesPerKey: perEvent(row.keys),
    indexBytesPerKey: perEvent(row.key_indexes),
    logBytesPerEvent: perEvent(row.log),
  };
}
