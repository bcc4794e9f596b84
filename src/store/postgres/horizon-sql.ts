/**
 * How far readers may look: everything at or below the horizon is settled, and no later commit can slip in there.
 *
 * Positions are given before a group commits, so a higher one may become visible first. A writer therefore takes a lock
 * that holds the last position so far, and only then allocates its own (append-sql.ts). Whoever reads takes the last
 * position allocated, *then* the lowest such lock, and *then* a snapshot for what it reads. A position at or below the first
 * was allocated by a transaction that either still holds its lock, so the second is lower, or has ended, so the
 * snapshot sees what it did: locks are let go of after a commit has become visible.
 *
 * The alternative, to show only rows below `pg_snapshot_xmin`, is sound only for a cursor of two parts, (transaction,
 * position), which a dump restored into a new cluster breaks, for transaction numbers start again there; and any long
 * transaction of anybody in the database (a dump, a forgotten psql) would hold all readers back. Here only a transaction that
 * has appended events does.
 */
export const horizonSql = `
  CREATE OR REPLACE FUNCTION sekali.horizon_1() RETURNS bigint
  LANGUAGE plpgsql SET search_path = sekali, pg_temp AS $$
  DECLARE
    v_last bigint;
    v_held bigint;
  BEGIN
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO v_last FROM positions;
    SELECT min(below) INTO v_held FROM held_positions_1;
    RETURN least(v_last, v_held);
  END
  $$;

  -- The transactions that have allocated positions and not ended, each with the position above which they lie.
  CREATE OR REPLACE VIEW sekali.held_positions_1 AS
    SELECT ((classid::bigint & 16777215) << 32) | objid::bigint AS below, pid
      FROM pg_catalog.pg_locks
      WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 24 = 83
        AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database());
`;
