import { randomBytes } from 'node:crypto';
import type { WireEvent } from '../../../src/client/index.ts';
import { BatchDecoder } from '../../../src/ingest/decode.ts';
import { decodeEntry } from '../../../src/queue/entry-codec.ts';
import type { Entry, Queue, QueueConsumer } from '../../../src/queue/queue.ts';
import { EventPack } from '../../../src/store/event-pack.ts';
import type { CommitGroup } from '../../../src/store/store.ts';
import { makeEvent } from '../../support/make-events.ts';

/** What a case of the contract is given: the ends of one queue, and the server that it is on. */
export interface QueueHarness {
  // Properties, not methods: the cases take them off the harness.
  readonly openQueue: (options?: { bytesMax?: number }) => Promise<Queue>;
  /** Entries that a consumer does not acknowledge are taken over after {@link CLAIM_MS}, if nothing else is said. */
  readonly openConsumer: (options?: { claimMs?: number }) => Promise<QueueConsumer>;
  /** Ends the server as kill -9 would. */
  readonly kill: () => Promise<void>;
  /** Starts it again with the data it had. */
  readonly restart: () => Promise<void>;
  /** Ends it and starts it with no data. */
  readonly loseMemory: () => Promise<void>;
}

/** One promise of the queue, as a sentence and its proof. Data, not tests, so that broken queues can be held against it. */
export interface QueueCase {
  readonly name: string;
  readonly run: (harness: QueueHarness) => Promise<void>;
}

export const CLAIM_MS = 400;
/** Far beyond {@link CLAIM_MS}: only an entry that is never taken over lets it pass. */
export const TAKEN_OVER_MS = 10 * CLAIM_MS;
export const NEVER_MS = 3_600_000;
export const BYTES_MAX = 64 * 1024 * 1024;

const LIMITS = { eventBytesMax: 1024 * 1024, depthMax: 64, eventsMax: 10_000 };
const SECRETS = { keySecret: new Uint8Array(16).fill(1), contentSeed: { high: 3, low: 4 } };

/** A group of one request with events of these ids. */
export function groupOf(...ids: string[]): CommitGroup {
  return toGroup(ids.map((event_id) => makeEvent({ event_id })));
}

/** A group of one event whose payload takes so many bytes, however it is packed. */
export function largeGroup(id: string, bytes: number): CommitGroup {
  return toGroup([makeEvent({ event_id: id, payload: { hex: randomBytes(bytes / 2).toString('hex') } })]);
}

function toGroup(drafts: readonly WireEvent[]): CommitGroup {
  const events = new EventPack();
  const body = Buffer.from(JSON.stringify(drafts));
  const { rejected } = new BatchDecoder(LIMITS, SECRETS).decode(body, 'json', events);
  if (rejected.length > 0) throw new Error(`not valid: ${JSON.stringify(rejected)}`);
  return { events, batches: [{ end: events.length, rejected: 0, wantFirstSeen: false }] };
}

/** The ids of the events in an entry. */
export function idsIn({ body }: Entry): string[] {
  const { events } = decodeEntry(body);
  return Array.from({ length: events.length }, (_, i) => events.eventId(i));
}

/** One claim, with nobody to end it. */
export async function claim(consumer: QueueConsumer, entriesMax = 100, waitMs = 0): Promise<Entry[]> {
  return await consumer.claim({ entriesMax, waitMs, signal: new AbortController().signal });
}

/** Claims and acknowledges until there is nothing more; the ids of all events, in the order they came in. */
export async function drain(consumer: QueueConsumer): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const entries = await claim(consumer);
    if (entries.length === 0) return ids;
    ids.push(...entries.flatMap(idsIn));
    await consumer.ack(entries);
  }
}
