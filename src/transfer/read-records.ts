import { isUtf8 } from 'node:buffer';
import { readDelivery, readSubscription } from './read-deliveries.ts';
import { LineFault, Members } from './read-members.ts';
import {
  type KeyLife,
  noCounts,
  TRANSFER_VERSION,
  type TransferConflict,
  type TransferCounts,
  type TransferDeadLetter,
  type TransferDelivery,
  type TransferEvent,
  type TransferHeader,
  type TransferKey,
  type TransferSubscription,
  type TransferTopic,
} from './records.ts';

/** A payload as it lies in its line. */
export interface ReadEvent extends Omit<TransferEvent, 'payload'> {
  readonly payload: Buffer;
}

export type Record =
  | { readonly kind: 'topic'; readonly topic: TransferTopic }
  | { readonly kind: 'subscription'; readonly subscription: TransferSubscription }
  | { readonly kind: 'delivery'; readonly delivery: TransferDelivery }
  | { readonly kind: 'event'; readonly event: ReadEvent }
  | { readonly kind: 'key'; readonly key: TransferKey }
  | { readonly kind: 'conflict'; readonly conflict: TransferConflict }
  | { readonly kind: 'dead_letter'; readonly letter: TransferDeadLetter }
  | { readonly kind: 'end'; readonly counts: TransferCounts; readonly sha256: string };

/** @throws LineFault */
export function readHeader(line: Buffer): TransferHeader {
  const members = Members.parse(textOf(line));
  if (!members.has('sekali') || members.text('sekali') !== 'export') {
    throw new LineFault('it is not the header of a sekali export');
  }
  const version = members.count('version');
  if (version < 1 || version > TRANSFER_VERSION) {
    throw new LineFault(
      `it is of version ${version} of the format, and this Sekali knows versions up to ${TRANSFER_VERSION}`,
    );
  }
  const counters = members.members('counters');
  const seed = Buffer.from(members.hex('content_seed', 8), 'hex');
  return {
    keySecret: Buffer.from(members.hex('key_secret', 16), 'hex'),
    contentSeed: { high: seed.readInt32BE(0), low: seed.readInt32BE(4) },
    lastPosition: members.count('last_position'),
    counters: {
      unique_processed: counters.count('unique_processed'),
      duplicate_dropped: counters.count('duplicate_dropped'),
      conflicts: counters.count('conflicts'),
      rejected: counters.count('rejected'),
      dead_lettered: counters.count('dead_lettered'),
    },
    consumed: members.countsByUuid('consumed'),
  };
}

/** No text of JSON has this within itself: a quotation mark in it has a backslash in front. */
const PAYLOAD = Buffer.from(',"payload":');

/** @throws LineFault */
export function readRecord(line: Buffer): Record {
  const at = line.indexOf(PAYLOAD);
  const head = at < 0 ? textOf(line) : `${textOf(line.subarray(0, at))}}`;
  const members = Members.parse(head);
  const payload = at < 0 ? textMember(members) : rawMember(line, at + PAYLOAD.length);
  const kind = members.text('kind');
  switch (kind) {
    case 'topic':
      return { kind, topic: readTopic(members) };
    case 'subscription':
      return { kind, subscription: readSubscription(members) };
    case 'delivery':
      return { kind, delivery: readDelivery(members) };
    case 'event':
      if (payload === undefined) throw new LineFault('payload is missing');
      return { kind, event: { ...readNamed(members), ...readStored(members), payload } };
    case 'key':
      return { kind, key: readKey(members) };
    case 'conflict':
      return { kind, conflict: readConflict(members, payload?.toString()) };
    case 'dead_letter':
      return { kind, letter: readDeadLetter(members) };
    case 'end':
      return { kind, counts: readCounts(members), sha256: members.hex('sha256', 32) };
    default:
      throw new LineFault('kind is not known');
  }
}

function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new LineFault('it is not UTF-8');
  return bytes.toString();
}

function textMember(members: Members): Buffer | undefined {
  return members.has('payload_text') ? Buffer.from(members.text('payload_text')) : undefined;
}

function rawMember(line: Buffer, start: number): Buffer {
  const end = line.length - 1;
  if (line[end] !== 0x7d || !isUtf8(line.subarray(start)))
    throw new LineFault('it does not end behind its payload');
  return line.subarray(start, end);
}

function readNamed(members: Members) {
  return {
    topic: members.name('topic'),
    event_id: members.name('event_id'),
    source: members.name('source'),
    timestamp: members.instant('timestamp'),
    position: members.count('position', 1),
  };
}

function readStored(members: Members) {
  return {
    processed_at: members.instant('processed_at'),
    sequence: members.has('sequence') ? members.count('sequence') : undefined,
    keyLife: members.has('forgotten') ? ('forgotten' as const) : readLife(members),
  };
}

function readLife(members: Members): Exclude<KeyLife, 'forgotten'> {
  return members.has('expires_at') ? { expiresAt: members.instant('expires_at') } : 'for ever';
}

function readTopic(members: Members): TransferTopic {
  return {
    topic: members.name('topic'),
    events: members.count('events'),
    bytes: members.count('bytes'),
    duplicates: members.count('duplicates'),
    conflicts: members.count('conflicts'),
    retired: members.count('retired'),
    retired_bytes: members.count('retired_bytes'),
    retired_before: members.count('retired_before'),
    first_position: members.count('first_position'),
    last_position: members.count('last_position'),
    first_at: members.instant('first_at'),
    last_at: members.instant('last_at'),
  };
}

function readKey(members: Members): TransferKey {
  return {
    key: members.hex('key', 16),
    position: members.count('position', 1),
    content: members.hex('content', 8),
    keyLife: readLife(members),
  };
}

function readConflict(members: Members, payload: string | undefined): TransferConflict {
  return {
    ...readNamed(members),
    number: members.count('number', 1),
    received_at: members.instant('received_at'),
    payload,
  };
}

function readDeadLetter(members: Members): TransferDeadLetter {
  return {
    entry: members.uuid('entry'),
    events: members.count('events'),
    reason: members.text('reason'),
    attempts: members.count('attempts'),
    at: members.instant('at'),
    body: members.text('body'),
  };
}

const SINCE_2: ReadonlySet<keyof TransferCounts> = new Set(['subscriptions', 'deliveries']);

function readCounts(members: Members): TransferCounts {
  const counts = noCounts();
  for (const name of Object.keys(counts) as (keyof TransferCounts)[]) {
    // Of a kind that its version did not have.
    if (members.has(name) || !SINCE_2.has(name)) counts[name] = members.count(name);
  }
  return counts;
}
