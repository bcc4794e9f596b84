import type { Instant } from '../../instant.ts';
import { type CommitGroup, STORED } from '../store.ts';
import type { Appended } from './append.ts';
import { fixedArray, INT8 } from './binary-arrays.ts';
import { AS_TEXT, type SqlClient } from './connection.ts';

const SQL = `
  SELECT e.position, (extract(epoch FROM e.processed_at) * 1000000)::bigint FROM unnest($1::bigint[]) AS p
  JOIN sekali.events e ON e.position = p
  JOIN sekali.topics t ON t.topic_id = e.topic_id AND e.position >= t.retired_before`;

/** When the first events of duplicates and conflicts were stored, of the batches that want it; absent if they are retired. */
export async function readFirstSeen(
  client: SqlClient,
  { batches }: CommitGroup,
  { positions, verdicts }: Appended,
): Promise<Map<number, Instant>> {
  const wanted: number[] = [];
  let i = 0;
  for (const { end, wantFirstSeen } of batches) {
    if (!wantFirstSeen) i = end;
    for (; i < end; i++) if (verdicts[i] !== STORED) wanted.push(i);
  }
  if (wanted.length === 0) return new Map();
  const distinct = [...new Set(wanted.map((n) => positions[n]!))];
  const { rows } = await client.query({
    text: SQL,
    values: [
      fixedArray(INT8, distinct.length, 8, (into, at, n) => into.writeBigInt64BE(BigInt(distinct[n]!), at)),
    ],
    rowMode: 'array',
    types: AS_TEXT,
  });
  const storedAt = new Map(
    (rows as [string, string][]).map(([position, us]): [number, Instant] => [Number(position), Number(us)]),
  );
  return new Map(
    wanted.flatMap((n) => {
      const at = storedAt.get(positions[n]!);
      return at === undefined ? [] : [[n, at] as const];
    }),
  );
}
