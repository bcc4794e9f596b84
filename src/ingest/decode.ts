import { isUtf8 } from 'node:buffer';
import { SekaliError } from '../errors.ts';
import type { Event, EventLimits, Fingerprint, Rejection } from '../event.ts';
import {
  ARRAY_CLOSE,
  ARRAY_OPEN,
  COLON,
  COMMA,
  NEWLINE,
  OBJECT_CLOSE,
  OBJECT_OPEN,
  QUOTE,
  RETURN,
  SPACE,
  TAB,
} from './ascii.ts';
import { EventScanner, type RejectedEvent } from './event-scanner.ts';
import { JsonScanner, JsonSyntaxError } from './json-scanner.ts';

/** How the events of a body are laid out: one JSON text, or one JSON text per line. */
export type BodyFormat = 'json' | 'ndjson';

/** The events of one request, sorted into the good and the bad, each with its index in the request. */
export interface DecodedBatch {
  readonly events: Event[];
  /** `indexes[i]` is where `events[i]` stood in the request. */
  readonly indexes: number[];
  readonly rejected: IndexedRejection[];
}

export interface IndexedRejection extends Rejection {
  readonly index: number;
  readonly event_id: string | undefined;
}

/**
 * Decodes the body of a publish request: an event, an array of events, `{"events": [...]}`, or a line per event.
 *
 * @param bytes the body, decompressed
 * @param seed keys the content fingerprints
 * @throws SekaliError `utf8_invalid`, `json_invalid`, `batch_invalid`, `batch_empty`, `batch_too_long`
 */
export function decodeBatch(
  bytes: Buffer,
  format: BodyFormat,
  limits: EventLimits,
  seed: Fingerprint,
): DecodedBatch {
  const batch = new BatchBuilder(limits);
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0; // a byte order mark
  if (format === 'ndjson') decodeLines(bytes, start, batch, seed);
  else decodeJson(bytes, start, batch, seed);
  if (batch.count === 0) throw new SekaliError('batch_empty', 'the request holds no event');
  return batch;
}

class BatchBuilder implements DecodedBatch {
  readonly events: Event[] = [];
  readonly indexes: number[] = [];
  readonly rejected: IndexedRejection[] = [];
  readonly limits: EventLimits;
  count = 0;

  constructor(limits: EventLimits) {
    this.limits = limits;
  }

  add(outcome: Event | RejectedEvent): void {
    const index = this.#takeIndex();
    if ('rejection' in outcome) {
      this.rejected.push({ index, event_id: outcome.event_id, ...outcome.rejection });
    } else {
      this.events.push(outcome);
      this.indexes.push(index);
    }
  }

  #takeIndex(): number {
    if (this.count >= this.limits.eventsMax) {
      throw new SekaliError('batch_too_long', `a request may hold at most ${this.limits.eventsMax} events`, {
        limit: this.limits.eventsMax,
      });
    }
    return this.count++;
  }
}

function decodeJson(bytes: Buffer, start: number, batch: BatchBuilder, seed: Fingerprint): void {
  if (!isUtf8(bytes)) throw new SekaliError('utf8_invalid', 'the body must be UTF-8');
  const scanner = new JsonScanner(bytes, start, bytes.length, seed.high, seed.low);
  const events = new EventScanner(scanner, batch.limits);
  try {
    const first = scanner.peek();
    if (first === ARRAY_OPEN) readArray(scanner, events, batch);
    else if (first === OBJECT_OPEN && isEnvelope(scanner)) readEnvelope(scanner, events, batch);
    else batch.add(events.next());
    if (scanner.peek() !== 0 || scanner.at < scanner.end) throw scanner.error('the end of the body');
  } catch (error) {
    throw asDecodeError(error);
  }
}

/** An envelope's first member is `events`, which no event has; looked at without moving the scanner. */
function isEnvelope(scanner: JsonScanner): boolean {
  const start = scanner.at;
  scanner.at++;
  const answer = scanner.peek() === QUOTE && (scanner.string(), scanner.text() === 'events');
  scanner.at = start;
  return answer;
}

function readEnvelope(scanner: JsonScanner, events: EventScanner, batch: BatchBuilder): void {
  scanner.take(OBJECT_OPEN);
  scanner.peek();
  scanner.string();
  scanner.take(COLON);
  if (scanner.peek() !== ARRAY_OPEN)
    throw new SekaliError('batch_invalid', '"events" must be an array of events');
  readArray(scanner, events, batch);
  if (scanner.peek() === COMMA) {
    throw new SekaliError('batch_invalid', '"events" must be the only member of the object that holds it');
  }
  scanner.take(OBJECT_CLOSE);
}

function readArray(scanner: JsonScanner, events: EventScanner, batch: BatchBuilder): void {
  scanner.take(ARRAY_OPEN);
  if (scanner.peek() === ARRAY_CLOSE) {
    scanner.at++;
    return;
  }
  for (;;) {
    batch.add(events.next());
    const byte = scanner.peek();
    if (byte !== COMMA && byte !== ARRAY_CLOSE) throw scanner.error('"," or "]"');
    scanner.at++;
    if (byte === ARRAY_CLOSE) return;
  }
}

/** A line that is no JSON is an event that is not valid: where the next one begins is still known. */
function decodeLines(bytes: Buffer, start: number, batch: BatchBuilder, seed: Fingerprint): void {
  const allUtf8 = isUtf8(bytes);
  for (let at = start; at < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline === -1 ? bytes.length : newline;
    if (!isBlank(bytes, at, end)) batch.add(decodeLine(bytes, at, end, batch.limits, seed, allUtf8));
    at = end + 1;
  }
}

function decodeLine(
  bytes: Buffer,
  start: number,
  end: number,
  limits: EventLimits,
  seed: Fingerprint,
  knownUtf8: boolean,
): Event | RejectedEvent {
  if (!knownUtf8 && !isUtf8(bytes.subarray(start, end))) {
    return { event_id: undefined, rejection: { code: 'utf8_invalid', detail: 'the line must be UTF-8' } };
  }
  const scanner = new JsonScanner(bytes, start, end, seed.high, seed.low);
  try {
    const outcome = new EventScanner(scanner, limits).next();
    scanner.peek();
    if (scanner.at < end) throw scanner.error('the end of the line');
    return outcome;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const detail = `the line must be JSON: ${new JsonSyntaxError(error.offset - start, error.expected).message}`;
    return { event_id: undefined, rejection: { code: 'json_invalid', detail } };
  }
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte !== SPACE && byte !== TAB && byte !== RETURN) return false;
  }
  return true;
}

function asDecodeError(error: unknown): unknown {
  if (!(error instanceof JsonSyntaxError)) return error;
  return new SekaliError('json_invalid', `the body must be JSON: ${error.message}`, { offset: error.offset });
}
