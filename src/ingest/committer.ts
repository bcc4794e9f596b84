import { SekaliError } from '../errors.ts';
import type { Event, EventLimits } from '../event.ts';
import { failpoint } from '../failpoint.ts';
import { formatInstant } from '../instant.ts';
import type { PublishAnswer, WireReceipt, WireRejection } from '../protocol/wire.ts';
import type { Batch, Receipt, Store } from '../store/store.ts';
import { type BodyFormat, type DecodedBatch, decodeBatch } from './decode.ts';

/** A publish request as it came over the wire, decompressed. */
export interface PublishRequest {
  readonly body: Buffer;
  readonly format: BodyFormat;
  /** All events or none. */
  readonly atomic: boolean;
  /** Whether the answer has a receipt for each event. */
  readonly receipts: boolean;
}

/** What a request became: an answer, or the failure that it is answered with. */
export type PublishOutcome = PublishAnswer | SekaliError;

/** A request on its way to the store. */
interface Pending {
  readonly request: PublishRequest;
  readonly decoded: DecodedBatch;
  readonly batch: Batch;
  /** Answered with this although its rejections are counted. */
  readonly refusal: SekaliError | undefined;
}

/**
 * Turns a group of requests into one commit group: decodes each, appends what is valid, and tells each request what
 * became of its events once all of it is durable.
 *
 * @throws what the store throws; then none of the requests may be answered with anything but a failure
 */
export async function commitGroup(
  store: Store,
  limits: EventLimits,
  requests: readonly PublishRequest[],
): Promise<PublishOutcome[]> {
  failpoint('group.taken');
  const pending = requests.map((request) => decode(request, limits, store));
  const taken = pending.filter((entry): entry is Pending => !(entry instanceof SekaliError));
  failpoint('group.decoded');
  const receipts = taken.length === 0 ? [] : await store.append(taken.map((entry) => entry.batch));
  let next = 0;
  return pending.map((entry) => {
    if (entry instanceof SekaliError) return entry;
    const own = receipts[next++] ?? [];
    return entry.refusal ?? answer(entry, own);
  });
}

function decode(request: PublishRequest, limits: EventLimits, store: Store): Pending | SekaliError {
  let decoded: DecodedBatch;
  try {
    decoded = decodeBatch(request.body, request.format, limits, store.contentSeed);
  } catch (error) {
    // One request must not fail the others of its group, whatever is wrong with it.
    return error instanceof SekaliError
      ? error
      : new SekaliError('internal', `decoding failed: ${String(error)}`);
  }
  const refusal = refuse(request, decoded);
  const rejected = refusal ? decoded.events.length + decoded.rejected.length : decoded.rejected.length;
  const events: Event[] = refusal ? [] : decoded.events;
  return { request, decoded, refusal, batch: { events, rejected, wantFirstSeen: request.receipts } };
}

/** Why nothing of the request is stored, if so. */
function refuse(request: PublishRequest, { events, rejected }: DecodedBatch): SekaliError | undefined {
  const first = rejected[0];
  if (first === undefined || (events.length > 0 && !request.atomic)) return undefined;
  const members = {
    count: events.length + rejected.length,
    rejected: rejected.length,
    errors: rejected.map(toWire),
  };
  const where = `event ${first.index}: ${first.detail}`;
  if (events.length > 0) return new SekaliError('batch_refused', `nothing was stored, ${where}`, members);
  const tooLarge = rejected.every((rejection) => rejection.code === 'event_too_large');
  return new SekaliError(tooLarge ? 'event_too_large' : 'events_invalid', where, members);
}

function answer({ request, decoded }: Pending, receipts: readonly Receipt[]): PublishAnswer {
  const { events, rejected } = decoded;
  const tally = { stored: 0, duplicate: 0, conflict: 0 };
  for (const receipt of receipts) tally[receipt.verdict]++;
  return {
    status: rejected.length === 0 ? 'accepted' : 'partial',
    count: events.length + rejected.length,
    accepted: events.length,
    queued: 0,
    processed: tally.stored,
    duplicates: tally.duplicate,
    conflicts: tally.conflict,
    rejected: rejected.length,
    errors: rejected.map(toWire),
    ...(request.receipts && { results: results(decoded, receipts) }),
  };
}

/** A receipt for each event, in the order of the request. */
function results({ events, indexes, rejected }: DecodedBatch, receipts: readonly Receipt[]): WireReceipt[] {
  const all: WireReceipt[] = rejected.map(({ index, event_id }) => ({
    index,
    verdict: 'rejected',
    topic: null,
    event_id: event_id ?? null,
    position: null,
    first_seen_at: null,
  }));
  events.forEach((event, i) => {
    const receipt = receipts[i]!;
    all.push({
      index: indexes[i]!,
      verdict: receipt.verdict,
      topic: event.topic,
      event_id: event.event_id,
      position: receipt.position,
      first_seen_at: receipt.firstSeenAt === undefined ? null : formatInstant(receipt.firstSeenAt),
    });
  });
  return all.sort((left, right) => left.index - right.index);
}

function toWire({ index, event_id, code, detail }: DecodedBatch['rejected'][number]): WireRejection {
  return { index, event_id: event_id ?? null, code, detail };
}
