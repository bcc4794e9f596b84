import type { SqlClient } from './connection.ts';
import { lowerBound, upperBound } from './partitions.ts';

/** A partition of `events`, or what was one. */
export interface Partition {
  /** With its schema, as SQL. */
  readonly table: string;
  /** Its first position, and the one after its last. */
  readonly first: number;
  readonly end: number;
}

/** The partitions that are in use, by position. */
export async function listPartitions(client: SqlClient): Promise<Partition[]> {
  const { rows } = await client.query({
    text: `SELECT 'sekali.' || quote_ident(c.relname), ${lowerBound('c')}::text, ${upperBound('c')}::text
             FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = 'sekali.events'::regclass AND NOT i.inhdetachpending
             ORDER BY ${lowerBound('c')}`,
    rowMode: 'array',
  });
  return (rows as [string, string, string][]).map(([table, first, end]) => ({
    table,
    first: Number(first),
    end: Number(end),
  }));
}
