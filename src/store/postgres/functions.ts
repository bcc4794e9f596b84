import { createHash } from 'node:crypto';
import { appendSql } from './append-sql.ts';
import type { SqlClient } from './connection.ts';
import { deadLetterSql } from './dead-letter-sql.ts';
import { horizonSql } from './horizon-sql.ts';

/**
 * The functions of the database, and the view that they read. They carry a number in their name: a program calls those of its own
 * number, so that an older one beside it goes on.
 */
const SQL = `${appendSql}${deadLetterSql}${horizonSql}`;

/** Of the program's text. */
const WANTED = createHash('sha256').update(SQL).digest('hex').slice(0, 32);

/**
 * Makes the functions anew unless they are there as this program made them. To be called under the lock of the migration, in
 * its transaction, and with the schema at this program's version: those of a newer one are not ours to replace.
 *
 * What was made is noted as the comment of a table: a digest of the program's text, and one of what the database then had,
 * for it keeps that in a spelling of its own. So a start at which nothing changed only reads, and takes no lock that
 * anybody waits for.
 */
export async function renewFunctions(client: SqlClient): Promise<void> {
  const before = await readState(client);
  if (before.noted === noteOf(before.found)) return;
  await client.query(SQL);
  const { found } = await readState(client);
  // Both are hexadecimal: a comment takes no parameters.
  await client.query(`COMMENT ON TABLE sekali.schema IS '${noteOf(found)}'`);
}

function noteOf(found: string): string {
  return `functions ${WANTED} ${found}`;
}

interface State {
  readonly noted: string | null;
  /** Digest of what is there. */
  readonly found: string;
}

async function readState(client: SqlClient): Promise<State> {
  const { rows } = await client.query(`
    SELECT obj_description('sekali.schema'::regclass, 'pg_class') AS noted,
           md5(coalesce(string_agg(definition, '' ORDER BY definition COLLATE "C"), '')) AS found
      FROM (
        SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'sekali'::regnamespace AND prokind = 'f'
        UNION ALL
        SELECT pg_get_viewdef(oid) FROM pg_class WHERE relnamespace = 'sekali'::regnamespace AND relkind = 'v'
      ) AS made (definition)`);
  return rows[0] as State;
}
