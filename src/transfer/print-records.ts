import { formatInstant, type Instant } from '../instant.ts';
import type { Conflict } from '../store/store-reader.ts';
import { version } from '../version.ts';
import {
  type KeyLife,
  TRANSFER_VERSION,
  type TransferCounts,
  type TransferDeadLetter,
  type TransferDelivery,
  type TransferEvent,
  type TransferHeader,
  type TransferKey,
  type TransferSubscription,
  type TransferTopic,
} from './records.ts';

/** Each record as its line, without the line break. */

export function printHeader({
  keySecret,
  contentSeed,
  lastPosition,
  counters,
  consumed,
}: TransferHeader): string {
  const seed = Buffer.alloc(8);
  seed.writeInt32BE(contentSeed.high, 0);
  seed.writeInt32BE(contentSeed.low, 4);
  return JSON.stringify({
    sekali: 'export',
    version: TRANSFER_VERSION,
    by: version,
    exported_at: new Date().toISOString(),
    key_secret: Buffer.from(keySecret).toString('hex'),
    content_seed: seed.toString('hex'),
    last_position: lastPosition,
    counters,
    consumed,
  });
}

export function printTopic(topic: TransferTopic): string {
  const { first_at, last_at, ...rest } = topic;
  return JSON.stringify({
    kind: 'topic',
    ...rest,
    first_at: formatInstant(first_at),
    last_at: formatInstant(last_at),
  });
}

export function printSubscription({ created_at, ...subscription }: TransferSubscription): string {
  return JSON.stringify({ kind: 'subscription', ...subscription, created_at: formatInstant(created_at) });
}

export function printDelivery({ due_at, died_at, ...delivery }: TransferDelivery): string {
  return JSON.stringify({
    kind: 'delivery',
    ...delivery,
    due_at: due_at === undefined ? undefined : formatInstant(due_at),
    died_at: died_at === undefined ? undefined : formatInstant(died_at),
  });
}

export function printEvent(event: TransferEvent): string {
  const { position, topic, event_id, timestamp, source, sequence, processed_at, keyLife } = event;
  const counted = sequence === undefined ? '' : `,"sequence":${sequence}`;
  return `{"kind":"event","position":${position},"topic":${JSON.stringify(topic)},"event_id":${JSON.stringify(event_id)},"timestamp":"${formatInstant(timestamp)}","source":${JSON.stringify(source)}${counted},"processed_at":"${formatInstant(processed_at)}"${printLife(keyLife)}${printPayload(event.payload)}}`;
}

export function printKey({ key, position, content, keyLife }: TransferKey): string {
  return `{"kind":"key","key":"${key}","position":${position},"content":"${content}"${printLife(keyLife)}}`;
}

export function printConflict(conflict: Conflict): string {
  const { number, topic, event_id, position, timestamp, source, received_at, payload } = conflict;
  return `{"kind":"conflict","number":${number},"topic":${JSON.stringify(topic)},"event_id":${JSON.stringify(event_id)},"position":${position},"timestamp":"${formatInstant(timestamp)}","source":${JSON.stringify(source)},"received_at":"${formatInstant(received_at)}"${payload === undefined ? '' : printPayload(payload)}}`;
}

export function printDeadLetter({ at, ...letter }: TransferDeadLetter): string {
  return JSON.stringify({ kind: 'dead_letter', ...letter, at: formatInstant(at) });
}

/** @param sha256 of all lines before */
export function printEnd(counts: TransferCounts, sha256: string): string {
  return JSON.stringify({ kind: 'end', ...counts, sha256 });
}

function printLife(life: KeyLife): string {
  if (life === 'for ever') return '';
  return life === 'forgotten' ? ',"forgotten":true' : `,"expires_at":"${formatInstant(life.expiresAt)}"`;
}

const LINE_BREAK = /[\r\n]/;

function printPayload(payload: string): string {
  return LINE_BREAK.test(payload) ? `,"payload_text":${JSON.stringify(payload)}` : `,"payload":${payload}`;
}

/** The last instant that a line can hold. */
export const LAST_INSTANT: Instant = 253_402_300_799_999_999n;
