import type { SubscriptionOptions } from './delivery.ts';
import type { Refusal } from './settlements.ts';

export interface ConsumerOptions<Pattern extends string = string> extends SubscriptionOptions<Pattern> {
  /** Handlers that run at once. Default 1. */
  readonly concurrency?: number;
  /**
   * Events that are held ready beyond them, so that no handler waits for the network. Default: as many again. More is faster for work
   * of a few milliseconds (8 handlers that did nothing took 2,400 events a second, with a prefetch of 500 26,000), and less fair to
   * other consumers: what is held ready here waits for its turn here.
   */
  readonly prefetch?: number;
  /** How long the server may wait for a first event, before it answers that there is none. Default 20 s. */
  readonly waitMs?: number;
  /** How long a handler may take: after that its signal is aborted and its event goes to another. Default: without an end. */
  readonly handlerMs?: number;
  /**
   * Told of each event for which an ack, a nack or an extension did not count: it will be, or has been, handed out once more. Without it,
   * the client's log is.
   */
  readonly onRefused?: (refusal: Refusal) => void;
}

/** What a handler knows of a delivery. */
export interface DeliveryContext {
  readonly subscription: string;
  readonly position: number;
  /** How often the event has been handed out, this time included. */
  readonly attempt: number;
  /** Aborted when the lease is lost: somebody else may have the event by now. */
  readonly signal: AbortSignal;
  /** Extends the lease now. It is extended anyway, each time that half of it is over. */
  extend(): Promise<void>;
  /**
   * No attempt can help: ends the handler, by an error that it throws, and has its event be a dead letter at once, with this reason.
   * What the handler does with that error changes nothing.
   */
  readonly deadLetter: (reason: string) => never;
}

export type Handler<Event> = (event: Event, context: DeliveryContext) => unknown;
