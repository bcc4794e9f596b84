import { SekaliError } from '../errors.ts';
import { failpoint } from '../failpoint.ts';
import { formatInstant } from '../instant.ts';
import type { WireReceipt, WireRejection } from '../protocol/wire.ts';
import { EventPack } from '../store/event-pack.ts';
import { type Batch, CONFLICT, DUPLICATE, type Receipts, STORED, VERDICTS } from '../store/store.ts';
import type { BatchDecoder, BodyFormat, DecodedBatch } from './decode.ts';

/** A publish request as it came over the wire, decompressed. */
export interface PublishRequest {
  readonly body: Buffer;
  readonly format: BodyFormat;
  /** All events or none. */
  readonly atomic: boolean;
  /** Whether the answer has a receipt for each event. */
  readonly receipts: boolean;
}

/** What a request is answered with: JSON, or a failure. */
export type Outcome = string | SekaliError;

/** A request whose events are in the pack, or whose failure is known. */
interface Taken {
  readonly request: PublishRequest;
  readonly decoded: DecodedBatch;
  /** Answered with this although its rejections are counted. */
  readonly refusal: SekaliError | undefined;
}

/**
 * The commit group that is being filled. Requests are decoded as they come, while the group before is on its way to the
 * disk; when the store is free, all that is in here is the next group.
 */
export class OpenGroup {
  readonly #decoder: BatchDecoder;
  #pack: EventPack;
  readonly #taken: (Taken | SekaliError)[] = [];
  readonly #batches: Batch[] = [];
  /** Bytes of the bodies that have been decoded. */
  bodyBytes = 0;

  constructor(decoder: BatchDecoder, pack = new EventPack()) {
    pack.clear();
    this.#decoder = decoder;
    this.#pack = pack;
  }

  get requests(): number {
    return this.#taken.length;
  }

  /** What the store is to append. */
  get events(): EventPack {
    return this.#pack;
  }

  get batches(): readonly Batch[] {
    return this.#batches;
  }

  /** Decodes a request into the group. Whatever is wrong with it, the others of the group are none the worse. */
  add(request: PublishRequest): void {
    failpoint('group.taken');
    this.bodyBytes += request.body.length;
    try {
      this.#taken.push(this.#decode(request));
    } catch (error) {
      this.#taken.push(
        error instanceof SekaliError
          ? error
          : new SekaliError('internal', `decoding failed: ${String(error)}`, { cause: error }),
      );
    }
    failpoint('group.decoded');
  }

  /** The pack has been handed to the store; this is it, back again. */
  takeBack(pack: EventPack): void {
    this.#pack = pack;
  }

  /**
   * What each request is answered with, in their order, once the group is durable.
   *
   * @param receipts undefined when it is the queue that has the group: nobody knows the verdicts yet
   */
  outcomes(receipts: Receipts | undefined): Outcome[] {
    return this.#taken.map((taken) => {
      if (taken instanceof SekaliError) return taken;
      return taken.refusal ?? answer(taken, this.#pack, receipts);
    });
  }

  #decode(request: PublishRequest): Taken {
    const pack = this.#pack;
    const before = pack.bytesUsed;
    const decoded = this.#decoder.decode(request.body, request.format, pack);
    const refusal = refuse(request, decoded);
    let rejected = decoded.rejected.length;
    if (refusal) {
      rejected += decoded.accepted;
      pack.truncate(decoded.first, before);
    }
    this.#batches.push({ end: pack.length, rejected, wantFirstSeen: request.receipts });
    return { request, decoded, refusal };
  }
}

/** Why nothing of the request is stored, if so. */
function refuse(request: PublishRequest, { accepted, rejected }: DecodedBatch): SekaliError | undefined {
  const first = rejected[0];
  if (first === undefined || (accepted > 0 && !request.atomic)) return undefined;
  const members = {
    count: accepted + rejected.length,
    rejected: rejected.length,
    errors: rejected.map(toWire),
  };
  const where = `event ${first.index}: ${first.detail}`;
  if (accepted > 0) return new SekaliError('batch_refused', `nothing was stored, ${where}`, members);
  const tooLarge = rejected.every((rejection) => rejection.code === 'event_too_large');
  return new SekaliError(tooLarge ? 'event_too_large' : 'events_invalid', where, members);
}

/** The answer as its JSON: a PublishAnswer (protocol/wire.ts). */
function answer({ request, decoded }: Taken, pack: EventPack, receipts: Receipts | undefined): string {
  const { accepted, rejected } = decoded;
  const status = rejected.length === 0 ? 'accepted' : 'partial';
  const errors = rejected.length === 0 ? '[]' : JSON.stringify(rejected.map(toWire));
  const results =
    request.receipts && receipts !== undefined
      ? `,"results":${JSON.stringify(listResults(decoded, pack, receipts))}`
      : '';
  return (
    `{"status":"${status}","count":${accepted + rejected.length},"accepted":${accepted},` +
    `${receipts === undefined ? countQueued(decoded) : countStored(decoded, receipts)},` +
    `"rejected":${rejected.length},"errors":${errors}${results}}`
  );
}

function countStored({ first, accepted }: DecodedBatch, receipts: Receipts): string {
  const tally = [0, 0, 0];
  for (let i = first; i < first + accepted; i++) tally[receipts.verdicts[i]!]!++;
  return `"queued":0,"processed":${tally[STORED]},"duplicates":${tally[DUPLICATE]},"conflicts":${tally[CONFLICT]}`;
}

function countQueued({ accepted }: DecodedBatch): string {
  return `"queued":${accepted},"processed":null,"duplicates":null,"conflicts":null`;
}

/** A receipt for each event, in the order of the request: the good ones fill the places that the bad ones leave. */
function listResults(
  { first, accepted, rejected }: DecodedBatch,
  pack: EventPack,
  receipts: Receipts,
): WireReceipt[] {
  const all: WireReceipt[] = [];
  let next = first;
  for (const { index, event_id } of rejected) {
    while (all.length < index) all.push(toReceipt(all.length, next++, pack, receipts));
    all.push({
      index,
      verdict: 'rejected',
      topic: null,
      event_id: event_id ?? null,
      position: null,
      first_seen_at: null,
    });
  }
  while (next < first + accepted) all.push(toReceipt(all.length, next++, pack, receipts));
  return all;
}

function toReceipt(index: number, i: number, pack: EventPack, receipts: Receipts): WireReceipt {
  const verdict = VERDICTS[receipts.verdicts[i]!]!;
  const firstSeenAt = verdict === 'stored' ? receipts.storedAt : receipts.firstSeenAt.get(i);
  return {
    index,
    verdict,
    topic: pack.topic(i),
    event_id: pack.eventId(i),
    position: receipts.positions[i]!,
    first_seen_at: firstSeenAt === undefined ? null : formatInstant(firstSeenAt),
    ...(firstSeenAt === undefined && { retired: true as const }),
  };
}

function toWire({ index, event_id, code, detail }: DecodedBatch['rejected'][number]): WireRejection {
  return { index, event_id: event_id ?? null, code, detail };
}
