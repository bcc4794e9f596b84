import type { Failure } from '../store/store-messages.ts';
import type { Deliveries } from './deliveries.ts';

/** What passes between the thread of subscriptions (embedded/subscription-thread.ts) and its user (threaded-subscriptions.ts). */
export type DeliveryMethod = Exclude<keyof Deliveries, 'close'>;

export interface DeliveryCall {
  readonly id: number;
  readonly method: DeliveryMethod;
  readonly args: readonly unknown[];
}

export type ToSubscriptions = DeliveryCall | 'close';

export type FromSubscriptions =
  | { readonly kind: 'ready' }
  /** They could not be opened; the thread ends. */
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure };

export interface SubscriptionThreadData {
  readonly dataDir: string;
}
