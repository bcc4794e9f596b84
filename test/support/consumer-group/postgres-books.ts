import type { TestContext } from 'node:test';
import { Pool } from 'pg';
import { exactlyOnce, postgres, type WireStoredEvent } from '../../../src/client/index.ts';
import { atEnd } from '../at-end.ts';
import { amountOf, type Booking, type Books, type Sum } from './books.ts';

const CREATE = `
CREATE TABLE sums (topic text COLLATE "C" PRIMARY KEY, events integer NOT NULL, total integer NOT NULL)`;

const BOOK = `
INSERT INTO sums VALUES ($1, 1, $2)
ON CONFLICT (topic) DO UPDATE SET events = sums.events + 1, total = sums.total + excluded.total`;

/** The database is empty. */
export async function makePostgresBooks(t: TestContext, url: string): Promise<Books> {
  const pool = new Pool({ connectionString: url, max: 1 });
  atEnd(t, () => pool.end());
  await pool.query(CREATE);
  return {
    place: { kind: 'postgres', url },
    async read() {
      const sums = await pool.query<Sum>('SELECT * FROM sums ORDER BY topic');
      const marks = await pool.query<{ mark: string }>(
        `SELECT topic || ' ' || event_id || ' ' || position AS mark FROM sekali_marks`,
      );
      return { sums: sums.rows, marks: marks.rows.map(({ mark }) => mark).sort() };
    },
  };
}

export function openPostgresBooks(url: string, connections: number): Booking {
  const pool = new Pool({ connectionString: url, max: connections });
  return (onBooked) =>
    exactlyOnce(postgres(pool), async (event: WireStoredEvent, tx) => {
      await tx.query(BOOK, [event.topic, amountOf(event)]);
      onBooked(event);
    });
}
