import { lockNumber } from './advisory-locks.ts';

/** Positions in a partition of `events`, unless set otherwise. */
export const PARTITION_POSITIONS = 10_000_000;

/** What is needed of a connection here: one of `pg`'s, or its pool. */
export interface Querier {
  query(text: string): Promise<unknown>;
}

export interface PartitionOptions {
  /** Positions in each partition that is made from now on; those that are there keep their bounds. */
  readonly partitionPositions?: number | undefined;
  /** Positions about to be given, for which there must be room before the spare partition. */
  readonly room?: number | undefined;
}

/**
 * Makes partitions of `events` until there is room, and a whole spare partition above it. One statement, so it is done or not
 * done, in a transaction of the caller's or outside of any; any number of instances may call it at once.
 *
 * The table is made first and attached then, for `CREATE TABLE … PARTITION OF` takes the lock on `events` that keeps everybody
 * out, and `ATTACH PARTITION` one that lets readers and writers pass. An empty table needs no check of its bounds, and its
 * indexes, made with it, become parts of those of `events`.
 */
export async function ensurePartitions(
  client: Querier,
  { partitionPositions = PARTITION_POSITIONS, room = 0 }: PartitionOptions = {},
): Promise<void> {
  if (!Number.isSafeInteger(partitionPositions) || partitionPositions < 1) {
    throw new RangeError(`a partition cannot hold ${partitionPositions} positions`);
  }
  const spare = partitionPositions + Math.ceil(room);
  // A block takes no parameters; both are integers.
  await client.query(`
    DO $$
    DECLARE
      v_top   bigint;
      v_last  bigint;
      v_name  text;
      v_until bigint;
    BEGIN
      LOOP
        SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO v_last FROM sekali.positions;
        SELECT coalesce(max(${upperBound('c')}), 1) INTO v_top
          FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
          WHERE i.inhparent = 'sekali.events'::pg_catalog.regclass;
        EXIT WHEN v_top > v_last + ${spare};
        -- The next look has a snapshot of its own, so it sees what whoever had the lock has made.
        IF v_name IS NULL THEN
          PERFORM pg_catalog.pg_advisory_xact_lock(${lockNumber('partitions')});
          v_name := '';
          CONTINUE;
        END IF;
        v_until := v_top + ${partitionPositions};
        v_name := 'events_p' || v_top;
        EXECUTE format('CREATE TABLE sekali.%I (LIKE sekali.events INCLUDING ALL)', v_name);
        EXECUTE format('ALTER TABLE sekali.events ATTACH PARTITION sekali.%I FOR VALUES FROM (%s) TO (%s)',
                       v_name, v_top, v_until);
      END LOOP;
    END
    $$`);
}

/** SQL for the position at which a partition ends, not included. */
export function upperBound(relation: string): string {
  return `substring(pg_catalog.pg_get_expr(${relation}.relpartbound, ${relation}.oid) FROM 'TO \\(''(\\d+)''\\)')::bigint`;
}

/** SQL for the position at which a partition begins. */
export function lowerBound(relation: string): string {
  return `substring(pg_catalog.pg_get_expr(${relation}.relpartbound, ${relation}.oid) FROM 'FROM \\(''(\\d+)''\\)')::bigint`;
}
