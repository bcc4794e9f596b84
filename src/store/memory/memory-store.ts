import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../../clock.ts';
import type { Event, Fingerprint } from '../../event.ts';
import { type Instant, instantOfMs } from '../../instant.ts';
import type { DedupWindow, TopicRules } from '../../topic-rules.ts';
import { SECRET_BYTES } from '../dedup/key.ts';
import { printPage } from '../page-printer.ts';
import {
  type CommitGroup,
  type KeyStats,
  type Receipts,
  type Store,
  type StoreSecrets,
  VERDICTS,
} from '../store.ts';
import {
  type Conflict,
  type ConflictQuery,
  type Counters,
  type EventPage,
  type EventQuery,
  type PrintedPage,
  type PrintedQuery,
  type SequencePage,
  type SequenceQuery,
  type StoredEvent,
  type TopicSummary,
} from '../store-reader.ts';
import { MemoryConflicts } from './memory-conflicts.ts';
import { MemoryCounts, type StoreVerdict } from './memory-counts.ts';
import { type First, MemoryKeys } from './memory-keys.ts';
import { MemoryLog } from './memory-log.ts';

export interface MemoryStoreOptions {
  readonly dedupWindow?: TopicRules<DedupWindow>;
  readonly clock?: Clock;
}

/**
 * Keeps what store.ts promises, but for what a disk is for: it is gone with the process. Nothing is retired. A group is one turn of
 * the event loop, so no reader sees a part of it.
 */
export class MemoryStore implements Store {
  readonly secrets: StoreSecrets = makeSecrets();
  readonly #clock: Clock;
  readonly #log = new MemoryLog();
  readonly #keys: MemoryKeys;
  readonly #counts = new MemoryCounts();
  readonly #conflicts = new MemoryConflicts();

  constructor({ dedupWindow = [], clock = systemClock }: MemoryStoreOptions = {}) {
    this.#keys = new MemoryKeys(dedupWindow);
    this.#clock = clock;
  }

  async append({ events, batches }: CommitGroup): Promise<Receipts> {
    const storedAt = instantOfMs(this.#clock.nowMs());
    const verdicts = new Uint8Array(events.length);
    const positions = new Float64Array(events.length);
    const firstSeenAt = new Map<number, Instant>();
    let i = 0;
    for (const { end, rejected, wantFirstSeen } of batches) {
      this.#counts.reject(rejected);
      for (; i < end; i++) {
        const { verdict, first } = this.#take(events.event(i), storedAt);
        verdicts[i] = VERDICTS.indexOf(verdict);
        positions[i] = first.position;
        if (wantFirstSeen && verdict !== 'stored') firstSeenAt.set(i, first.storedAt);
      }
    }
    return { verdicts, positions, storedAt, firstSeenAt };
  }

  async find(topic: string, eventId: string): Promise<number | undefined> {
    return this.#keys.find(topic, eventId)?.position;
  }

  /** What the keys take is not known: they lie in the heap, with everything else. */
  keyStats(): KeyStats {
    return { keys: this.#keys.size, bytes: 0, sealedKeys: 0, sealedBytes: 0 };
  }

  async events(query: EventQuery): Promise<EventPage> {
    return this.#log.page(query);
  }

  async printed(query: PrintedQuery): Promise<PrintedPage> {
    return printPage(this.#log.page(query), query.printing);
  }

  async sequences(query: SequenceQuery): Promise<SequencePage> {
    return this.#log.sequences(query);
  }

  async eventAt(position: number): Promise<StoredEvent | undefined> {
    return this.#log.at(position);
  }

  async eventsAt(positions: readonly number[]): Promise<(StoredEvent | undefined)[]> {
    return positions.map((position) => this.#log.at(position));
  }

  async countEvents(query: Pick<EventQuery, 'topic' | 'patterns' | 'after'>): Promise<number> {
    return this.#log.count(query);
  }

  async positionBefore(timeMs: number): Promise<number> {
    return this.#log.positionBefore(timeMs);
  }

  async lastPosition(): Promise<number> {
    return this.#log.lastPosition;
  }

  async topics(page: { after: string | undefined; limit: number }): Promise<TopicSummary[]> {
    return this.#counts.topics(page);
  }

  async counters(): Promise<Counters> {
    return this.#counts.counters();
  }

  async conflicts(query: ConflictQuery): Promise<Conflict[]> {
    return this.#conflicts.list(query);
  }

  async close(): Promise<void> {}

  /** Lets go of all that is there and begins to count anew; positions and the numbers of conflicts go on. */
  clear(): void {
    this.#log.clear();
    this.#keys.clear();
    this.#counts.clear();
    this.#conflicts.clear();
  }

  #take(event: Event, now: Instant): { verdict: StoreVerdict; first: First } {
    const { topic, event_id, content, ...rest } = event;
    const known = this.#keys.known(topic, event_id, now);
    const verdict = verdictOn(content, known);
    const first = known ?? this.#store(event, now);
    this.#counts.add(topic, verdict, first.position, now);
    if (verdict === 'conflict') {
      const { timestamp, source, payload } = rest;
      const { position } = first;
      this.#conflicts.add({ topic, event_id, position, timestamp, source, payload, received_at: now });
    }
    return { verdict, first };
  }

  #store({ content, ...event }: Event, now: Instant): First {
    const position = this.#log.add({ ...event, processed_at: now });
    const first = { position, content, storedAt: now };
    this.#keys.add(event.topic, event.event_id, first);
    return first;
  }
}

function verdictOn(content: Fingerprint, known: First | undefined): StoreVerdict {
  if (known === undefined) return 'stored';
  const isSame = known.content.high === content.high && known.content.low === content.low;
  return isSame ? 'duplicate' : 'conflict';
}

function makeSecrets(): StoreSecrets {
  const seed = randomBytes(8);
  return {
    keySecret: randomBytes(SECRET_BYTES),
    contentSeed: { high: seed.readInt32LE(0), low: seed.readInt32LE(4) },
  };
}
