import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import { checkName } from '../../event.ts';
import { formatInstant, type Instant } from '../../instant.ts';
import { type JsonLine, nameAt, readJsonLine, valueAt } from './json-line.ts';
import type { Line } from './line-reader.ts';
import { timestampOfLine, timestampOfValue } from './line-timestamp.ts';

export interface EventOptions {
  readonly topic: string;
  readonly source: string;
  /** Paths of members in lines that are JSON objects. */
  readonly idField: string | undefined;
  readonly timeField: string | undefined;
  readonly sourceField: string | undefined;
}

/** What is known when a line is read, beside the line. */
export interface ReadingTime {
  /** When the line is shipped: the timestamp of a line that has none. */
  readonly now: Instant;
  /** When the file was written last. */
  readonly written: Instant;
}

export interface LineEvent {
  /** The event's JSON text. */
  readonly json: string;
  readonly eventId: string;
  /** What the line lacked, and Sekali had to make up. */
  readonly lacks: readonly Lack[];
}

/** A time in a known format; valid UTF-8; the member that `--id-field` names. */
export type Lack = 'time' | 'utf8' | 'id';

/** Where loggers put the time in JSON lines, most telling first. */
const TIME_MEMBERS = ['@timestamp', 'timestamp', 'time', 'ts', 'datetime', 'asctime'];

/** Standard input among the operands. */
export const STDIN = '-';

const BYTE_ORDER_MARK = '\ufeff';

/** @returns undefined for a blank line: white space alone is no event */
export function eventOfLine(line: Line, options: EventOptions, time: ReadingTime): LineEvent | undefined {
  const isText = isUtf8(line.bytes);
  const decoded = line.bytes.toString('utf8');
  const text = line.offset === 0 && decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
  if (text.trim() === '') return undefined;
  const json = isText ? readJsonLine(text) : undefined;

  const ownId = json && options.idField !== undefined ? nameAt(json, options.idField) : undefined;
  const ownTime = json ? timeOfJson(json, options, time) : timestampOfLine(text, time.written);
  const eventId = ownId ?? line.id;
  const lacks: Lack[] = [];
  if (options.idField !== undefined && ownId === undefined) lacks.push('id');
  if (ownTime === undefined) lacks.push('time');
  if (!isText) lacks.push('utf8');
  return { json: print(eventId, ownTime ?? time.now), eventId, lacks };

  function print(id: string, timestamp: Instant): string {
    const source = (json && ownSource(json, options)) ?? options.source;
    const members = { topic: options.topic, event_id: id, timestamp: formatInstant(timestamp), source };
    // Put in as text: a JSON line must come back as it stands, numbers included that a double cannot hold.
    const payload = json?.text ?? JSON.stringify(isText ? { line: text } : replaced(text, line.bytes));
    return `${JSON.stringify(members).slice(0, -1)},"payload":${payload}}`;
  }
}

/** JSON is UTF-8, so what is none shows as U+FFFD in the text; the bytes themselves go along. */
function replaced(text: string, bytes: Buffer): Record<string, string> {
  return { line: text, line_base64: bytes.toString('base64') };
}

function timeOfJson(
  { object }: JsonLine,
  { timeField }: EventOptions,
  time: ReadingTime,
): Instant | undefined {
  for (const member of timeField === undefined ? TIME_MEMBERS : [timeField, ...TIME_MEMBERS]) {
    const found = timestampOfValue(valueAt(object, member), time.written);
    if (found !== undefined) return found;
  }
  return undefined;
}

function ownSource(json: JsonLine, { sourceField }: EventOptions): string | undefined {
  const own = sourceField === undefined ? undefined : nameAt(json, sourceField);
  return own !== undefined && checkName('source', own) === undefined ? own : undefined;
}

/** The source of a file's events, when none is given: what the file is called tells most about who wrote it. */
export function sourceOf(file: string): string {
  return file === STDIN ? 'stdin' : basename(file);
}
