import type { WireEvent } from '../../../src/client/index.ts';
import type { Verdict } from '../../../src/event.ts';
import { BatchDecoder } from '../../../src/ingest/decode.ts';
import type { Instant } from '../../../src/instant.ts';
import { EventPack } from '../../../src/store/event-pack.ts';
import {
  type Batch,
  type CommitGroup,
  type Receipts,
  type Store,
  VERDICTS,
} from '../../../src/store/store.ts';

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

/** The events of one request, all of them valid, and what else the request had. */
export interface BatchDraft {
  readonly events: readonly WireEvent[];
  readonly rejected?: number;
  readonly wantFirstSeen?: boolean;
}

/** What a store says of one event. */
export interface Receipt {
  readonly verdict: Verdict;
  readonly position: number;
  /** Undefined when it was not asked for. */
  readonly firstSeenAt: Instant | undefined;
}

/** A commit group as the ingest stage would hand it in. */
export function toGroup(store: Store, ...drafts: readonly BatchDraft[]): CommitGroup {
  const decoder = new BatchDecoder(LIMITS, store.secrets);
  const events = new EventPack();
  const batches = drafts.map((draft): Batch => {
    if (draft.events.length > 0) {
      const { rejected } = decoder.decode(Buffer.from(JSON.stringify(draft.events)), 'json', events);
      if (rejected.length > 0) throw new Error(`not valid: ${JSON.stringify(rejected)}`);
    }
    return { end: events.length, rejected: draft.rejected ?? 0, wantFirstSeen: draft.wantFirstSeen ?? true };
  });
  return { events, batches };
}

/** The receipts of each batch, one an event. */
export function toReceipts({ batches }: CommitGroup, receipts: Receipts): Receipt[][] {
  const { verdicts, positions, storedAt, firstSeenAt } = receipts;
  let i = 0;
  return batches.map(({ end }) => {
    const ofBatch: Receipt[] = [];
    for (; i < end; i++) {
      const verdict = VERDICTS[verdicts[i] ?? -1];
      const position = positions[i];
      if (verdict === undefined || position === undefined) throw new Error(`event ${i} has no receipt`);
      ofBatch.push({ verdict, position, firstSeenAt: verdict === 'stored' ? storedAt : firstSeenAt.get(i) });
    }
    return ofBatch;
  });
}

/** Appends batches as one commit group. */
export async function appendGroup(store: Store, ...drafts: readonly BatchDraft[]): Promise<Receipt[][]> {
  const group = toGroup(store, ...drafts);
  return toReceipts(group, await store.append(group));
}

/** Appends one batch as a commit group of its own. */
export async function appendOne(store: Store, ...events: WireEvent[]): Promise<Receipt[]> {
  const [receipts = []] = await appendGroup(store, { events });
  return receipts;
}

export async function verdictsOf(store: Store, ...events: WireEvent[]): Promise<string[]> {
  return (await appendOne(store, ...events)).map((receipt) => receipt.verdict);
}

export const EVERYTHING = { order: 'asc', offset: 0, limit: 1000 } as const;
