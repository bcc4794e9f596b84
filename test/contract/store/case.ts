import type { WireEvent } from '../../../src/client/index.ts';
import { decodeBatch } from '../../../src/ingest/decode.ts';
import type { Batch, Receipt, Store } from '../../../src/store/store.ts';

/** What a case of the contract is given: a store, and the means to end it and begin again on the same data. */
export interface StoreHarness {
  // Properties, not methods: the cases take them off the harness.
  readonly open: () => Promise<Store>;
  /** Ends a store as kill -9 would: it is not closed, and nothing of it reaches the data any more. */
  readonly crash: (store: Store) => Promise<void>;
}

/** One promise of the store, as a sentence and its proof. Data, not tests, so that broken stores can be held against it. */
export interface StoreCase {
  readonly name: string;
  readonly run: (harness: StoreHarness) => Promise<void>;
}

export const LIMITS = { eventBytesMax: 1024 * 1024, depthMax: 64, eventsMax: 10_000 };

/** A batch as the ingest stage would hand it in. */
export function toBatch(store: Store, events: readonly WireEvent[], rejected = 0): Batch {
  if (events.length === 0) return { events: [], rejected, wantFirstSeen: true };
  const decoded = decodeBatch(Buffer.from(JSON.stringify(events)), 'json', LIMITS, store.contentSeed);
  if (decoded.rejected.length > 0) throw new Error(`not valid: ${JSON.stringify(decoded.rejected)}`);
  return { events: decoded.events, rejected, wantFirstSeen: true };
}

/** Appends one batch as a commit group of its own. */
export async function appendOne(store: Store, ...events: WireEvent[]): Promise<Receipt[]> {
  const [receipts = []] = await store.append([toBatch(store, events)]);
  return receipts;
}

export async function verdictsOf(store: Store, ...events: WireEvent[]): Promise<string[]> {
  return (await appendOne(store, ...events)).map((receipt) => receipt.verdict);
}

export const EVERYTHING = { order: 'asc', offset: 0, limit: 1000 } as const;
