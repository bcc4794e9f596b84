import { isUtf8 } from 'node:buffer';
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
} from '../content/ascii.ts';
import { JsonScanner, JsonSyntaxError } from '../content/json-scanner.ts';
import { SekaliError } from '../errors.ts';
import type { EventLimits, Fingerprint, Rejection } from '../event.ts';
import { KeyHasher } from '../store/dedup/key.ts';
import type { EventPack } from '../store/event-pack.ts';
import type { StoreSecrets } from '../store/store.ts';
import { EventScanner, type EventScannerParts, type RejectedEvent } from './event-scanner.ts';
import { TopicCache } from './topic-cache.ts';

/** How the events of a body are laid out: one JSON text, or one JSON text per line. */
export type BodyFormat = 'json' | 'ndjson';

/** What one request holds: its good events are in the pack, from `first` on; the bad ones are here. */
export interface DecodedBatch {
  /** Of its first good event, in the pack. */
  readonly first: number;
  /** Good events. */
  readonly accepted: number;
  readonly rejected: readonly IndexedRejection[];
}

export interface IndexedRejection extends Rejection {
  /** In the request. */
  readonly index: number;
  readonly event_id: string | undefined;
}

/** Decodes the bodies of publish requests into packs. */
export class BatchDecoder {
  readonly #parts: EventScannerParts;
  readonly #seed: Fingerprint;

  constructor(limits: EventLimits, secrets: StoreSecrets) {
    const hasher = new KeyHasher(secrets.keySecret);
    this.#parts = { limits, hasher, topics: new TopicCache(hasher) };
    this.#seed = secrets.contentSeed;
  }

  /**
   * Decodes the body of a request: an event, an array of events, `{"events": [...]}`, or a line per event. The good ones are
   * added to the pack; when it throws, none of them.
   *
   * @param bytes the body, decompressed
   * @throws SekaliError `utf8_invalid`, `json_invalid`, `batch_invalid`, `batch_empty`, `batch_too_long`
   */
  decode(bytes: Buffer, format: BodyFormat, pack: EventPack): DecodedBatch {
    const { length, bytesUsed } = pack;
    try {
      pack.reserve(bytes.length);
      this.#parts.topics.begin(pack);
      const batch = new BatchBuilder(pack, this.#parts, this.#seed);
      const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0; // a byte order mark
      if (format === 'ndjson') decodeLines(bytes, start, batch);
      else decodeJson(bytes, start, batch);
      if (batch.count === 0) throw new SekaliError('batch_empty', 'the request holds no event');
      return { first: length, accepted: pack.length - length, rejected: batch.rejected };
    } catch (error) {
      pack.truncate(length, bytesUsed);
      throw error;
    }
  }
}

class BatchBuilder {
  readonly rejected: IndexedRejection[] = [];
  readonly #pack: EventPack;
  readonly #parts: EventScannerParts;
  readonly #seed: Fingerprint;
  count = 0;

  constructor(pack: EventPack, parts: EventScannerParts, seed: Fingerprint) {
    this.#pack = pack;
    this.#parts = parts;
    this.#seed = seed;
  }

  scan(bytes: Buffer, start: number, end: number): EventScanner {
    const scanner = new JsonScanner(bytes, start, end, this.#seed.high, this.#seed.low);
    return new EventScanner(scanner, this.#pack, this.#parts);
  }

  mark(): { length: number; bytesUsed: number } {
    return { length: this.#pack.length, bytesUsed: this.#pack.bytesUsed };
  }

  /** Takes back what has been added to the pack since the mark. */
  takeBack({ length, bytesUsed }: { length: number; bytesUsed: number }): void {
    this.#pack.truncate(length, bytesUsed);
  }

  /** Counts an event in. @param rejection why it is not in the pack, if it is not */
  add(rejection: RejectedEvent | undefined): void {
    const { eventsMax } = this.#parts.limits;
    if (this.count >= eventsMax) {
      throw new SekaliError('batch_too_long', `a request may hold at most ${eventsMax} events`, {
        limit: eventsMax,
      });
    }
    const index = this.count++;
    if (rejection !== undefined)
      this.rejected.push({ index, event_id: rejection.event_id, ...rejection.rejection });
  }
}

function decodeJson(bytes: Buffer, start: number, batch: BatchBuilder): void {
  if (!isUtf8(bytes)) throw new SekaliError('utf8_invalid', 'the body must be UTF-8');
  const events = batch.scan(bytes, start, bytes.length);
  const { scanner } = events;
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
function decodeLines(bytes: Buffer, start: number, batch: BatchBuilder): void {
  const allUtf8 = isUtf8(bytes);
  for (let at = start; at < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline === -1 ? bytes.length : newline;
    if (!isBlank(bytes, at, end)) batch.add(decodeLine(bytes, at, end, batch, allUtf8));
    at = end + 1;
  }
}

function decodeLine(
  bytes: Buffer,
  start: number,
  end: number,
  batch: BatchBuilder,
  knownUtf8: boolean,
): RejectedEvent | undefined {
  if (!knownUtf8 && !isUtf8(bytes.subarray(start, end))) {
    return { event_id: undefined, rejection: { code: 'utf8_invalid', detail: 'the line must be UTF-8' } };
  }
  const events = batch.scan(bytes, start, end);
  const { scanner } = events;
  const mark = batch.mark();
  try {
    const rejection = events.next();
    scanner.peek();
    if (scanner.at < end) throw scanner.error('the end of the line');
    return rejection;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    batch.takeBack(mark);
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
