/**
 * One process of a consumer group, which books events until it is killed. It tells each step on stdout, so that whoever kills it can choose
 * between them, and what it has seen: which events came again, and which of those were booked before.
 */
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { type ConsumerOptions, Sekali, type WireStoredEvent } from '../../../src/client/index.ts';
import { amountOf, type Booking, type BooksPlace } from './books.ts';

export interface MemberJob {
  readonly url: string;
  readonly subscription: string;
  readonly topics: readonly string[];
  /** Of the consumer. */
  readonly options: ConsumerOptions & { readonly concurrency: number };
  readonly books: BooksPlace;
}

/** `booked` is within the transaction, `done` after it: without `booked` before it, the mark was there. */
export type Told =
  | { readonly step: 'begun' | 'done'; readonly position: number; readonly attempt: number }
  | { readonly step: 'booked'; readonly position: number }
  | { readonly step: 'trouble'; readonly message: string };

/** An event of this amount kills whoever works on it. */
export const POISON = -1;

async function open(place: BooksPlace, connections: number): Promise<Booking> {
  if (place.kind === 'sqlite') return (await import('./sqlite-books.ts')).openSqliteBooks(place.file);
  return (await import('./postgres-books.ts')).openPostgresBooks(place.url, connections);
}

function tell(what: Told): void {
  writeSync(1, `${JSON.stringify(what)}\n`);
}

const { url, subscription, topics, options, books } = JSON.parse(process.argv[2]!) as MemberJob;
const book = (await open(books, options.concurrency))((event: WireStoredEvent) => {
  tell({ step: 'booked', position: event.position });
  if (amountOf(event) === POISON) process.kill(process.pid, 'SIGKILL');
});
// One that is killed would leave nothing to the next: starting takes 50 instead of 150 ms.
flushCompileCache();
await new Sekali({
  url,
  backoff: { firstMs: 20, maxMs: 200 },
  log: { warn: (message) => tell({ step: 'trouble', message }) },
})
  .consumer(subscription, { topics, backoff: { firstMs: 0, maxMs: 0 }, ...options })
  .run(async (event, context) => {
    const { position, attempt } = context;
    tell({ step: 'begun', position, attempt });
    await book(event, context);
    tell({ step: 'done', position, attempt });
  });
