import assert from 'node:assert/strict';
import { SekaliError } from '../../src/errors.ts';
import type { Event, EventLimits } from '../../src/event.ts';
import { BatchDecoder, type BodyFormat, type IndexedRejection } from '../../src/ingest/decode.ts';
import { SECRET_BYTES } from '../../src/store/dedup/key.ts';
import { EventPack } from '../../src/store/event-pack.ts';
import { makeEvent } from './make-events.ts';
import { unpackEvents } from './unpack-events.ts';

/** Decoding as tests see it: events as objects, and where each stood in its request. */

export const LIMITS: EventLimits = { eventBytesMax: 4096, depthMax: 10, eventsMax: 50 };
export const SECRETS = { keySecret: new Uint8Array(SECRET_BYTES).fill(5), contentSeed: { high: 3, low: 4 } };

export interface Decoded {
  readonly events: Event[];
  /** Where each of the events stands in the request. */
  readonly indexes: number[];
  readonly rejected: readonly IndexedRejection[];
}

export function decode(body: string | Uint8Array, format: BodyFormat = 'json', limits = LIMITS): Decoded {
  return decodeInto(new EventPack(), body, format, limits);
}

export function decodeInto(
  pack: EventPack,
  body: string | Uint8Array,
  format: BodyFormat = 'json',
  limits = LIMITS,
): Decoded {
  const before = pack.length;
  const decoder = new BatchDecoder(limits, SECRETS);
  const { first, accepted, rejected } = decoder.decode(Buffer.from(body), format, pack);
  assert.deepEqual([first, pack.length], [before, before + accepted]);
  const count = accepted + rejected.length;
  const bad = new Set(rejected.map(({ index }) => index));
  const indexes = Array.from({ length: count }, (_, index) => index).filter((index) => !bad.has(index));
  assert.equal(indexes.length, accepted);
  return { events: unpackEvents(pack, first, accepted), indexes, rejected };
}

export function codeOf(body: string | Uint8Array, format: BodyFormat = 'json'): string {
  try {
    decode(body, format);
  } catch (error) {
    assert.ok(error instanceof SekaliError, String(error));
    return error.code;
  }
  return 'none';
}

export const good = JSON.stringify(makeEvent());
/** The good event with a member in place of its own, as JSON text. */
export function changed(member: string, value: string): string {
  return JSON.stringify({ ...makeEvent(), [member]: '@' }).replace('"@"', value);
}

/** For payloads of any shape. */
export const ROOMY = { ...LIMITS, eventBytesMax: 1_000_000, depthMax: 100 };
