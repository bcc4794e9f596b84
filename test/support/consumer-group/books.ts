/**
 * What a consumer group writes: for each topic how many events it has booked, and the sum of their amounts. *Books* are tables of a
 * database of the consumers' own, in which `exactlyOnce` keeps its marks too.
 */
import type { Handler, WireStoredEvent } from '../../../src/client/index.ts';

export type BooksPlace =
  | { readonly kind: 'postgres'; readonly url: string }
  | { readonly kind: 'sqlite'; readonly file: string };

export interface Sum {
  readonly topic: string;
  readonly events: number;
  readonly total: number;
}

/** What is written in the end. */
export interface Found {
  /** By topic. */
  readonly sums: Sum[];
  /** `topic event_id position` of each, in their order as text. */
  readonly marks: string[];
}

/** As the test has them. */
export interface Books {
  readonly place: BooksPlace;
  read(): Promise<Found>;
}

/** As a member has them: books an event with its mark. It is told when the work is done, within the transaction. */
export type Booking = (onBooked: (event: WireStoredEvent) => void) => Handler<WireStoredEvent>;

export function amountOf({ payload }: Pick<WireStoredEvent, 'payload'>): number {
  return (payload as { amount: number }).amount;
}
