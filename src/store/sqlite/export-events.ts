import type { DatabaseSync } from 'node:sqlite';
import type { TransferWriter } from '../../transfer/transfer-writer.ts';
import type { Key } from '../dedup/key.ts';
import type { Block } from './block.ts';
import type { KeyExpiry } from './export-expiry.ts';
import { damage, type IndexEntries } from './export-keys.ts';
import { BlockReader } from './read-blocks.ts';
import { TopicNames } from './topic-names.ts';

/** Positions that are held in memory at once, two bytes each: 64 MiB. */
const SPAN = 2 ** 25;

/** What is noted of a position: nothing, that its event has been written, or the window class of its entry, and one. */
const NOTHING = 0;
const HAS_EVENT = 0xffff;

/** Entries after which what has been collected is written. */
const DRAIN_ENTRIES = 1000;

export interface EventExportParts {
  readonly db: DatabaseSync;
  readonly index: IndexEntries;
  readonly expiry: KeyExpiry;
  readonly writer: TransferWriter;
  readonly lastPosition: number;
  readonly span?: number | undefined;
}

/**
 * Writes events, and the keys that are left of retired ones.
 *
 * An entry of the index is found by its key, not by its position. So positions are gone through in spans: where dedup
 * windows are in use, the entries of a span say first how long each of its keys lasts; then its events are written; then its
 * entries are read (again), and those that have no event are written as keys.
 */
export class EventExport {
  readonly #parts: EventExportParts;
  readonly #blocks: BlockReader;
  readonly #topics: TopicNames;
  /** Events written, by topic. */
  readonly perTopic = new Map<number, number>();
  #table = new Uint16Array(0);
  #first = 1;
  #reached = 0;
  #entriesOfEvents = 0;

  constructor(parts: EventExportParts) {
    this.#parts = parts;
    this.#blocks = new BlockReader(parts.db);
    this.#topics = new TopicNames(parts.db);
  }

  /** @throws SekaliError `store_damaged` */
  async run(): Promise<void> {
    const { lastPosition, writer, expiry, span = SPAN } = this.#parts;
    this.#table = new Uint16Array(Math.min(span, lastPosition));
    for (this.#first = 1; this.#first <= lastPosition; this.#first += span) {
      const last = Math.min(this.#first + span - 1, lastPosition);
      this.#table.fill(NOTHING);
      if (expiry.isUsed) this.#noteClasses(last);
      await this.#writeEvents(last);
      await this.#writeKeys(last);
    }
    if (expiry.isUsed) return;
    // Without dedup windows no key is ever dropped.
    const { events, keys } = writer.counts;
    if (this.#entriesOfEvents !== events) {
      throw damage(
        `of ${events} events, ${events - this.#entriesOfEvents} have no entry in the index of keys`,
      );
    }
    if (events + keys !== lastPosition) {
      throw damage(`the keys of ${lastPosition - events - keys} retired events are missing in the index`);
    }
  }

  #noteClasses(last: number): void {
    for (const { position, windowClass } of this.#parts.index.of(this.#first, last)) {
      // The highest of all classes is not told from the mark of an event; an operator would need 65,534 lengths of window.
      this.#table[position - this.#first] = Math.min(windowClass + 1, HAS_EVENT - 1);
    }
  }

  async #writeEvents(last: number): Promise<void> {
    for (const block of this.#blocks.from(this.#first)) {
      if (block.firstPosition > last) return;
      this.#writeBlock(block, last);
      await this.#parts.writer.drain();
    }
  }

  #writeBlock(block: Block, last: number): void {
    const { writer } = this.#parts;
    for (let n = 0; n < block.length; n++) {
      const position = block.position(n);
      if (position < this.#first || position > last) continue;
      if (position <= this.#reached) throw damage(`position ${position} is there twice`);
      this.#reached = position;
      const topicId = block.topicId(n);
      if (this.#topics.isRetired(topicId, position)) continue;
      const event = this.#topics.toEvent(block, n);
      writer.event({ ...event, keyLife: this.#lifeOf(position) });
      this.#table[position - this.#first] = HAS_EVENT;
      this.perTopic.set(topicId, (this.perTopic.get(topicId) ?? 0) + 1);
    }
  }

  #lifeOf(position: number) {
    const { expiry } = this.#parts;
    if (!expiry.isUsed) return 'for ever';
    const noted = this.#table[position - this.#first]!;
    return noted === NOTHING ? 'forgotten' : expiry.lifeOf(position, noted - 1);
  }

  async #writeKeys(last: number): Promise<void> {
    const { index, writer, expiry } = this.#parts;
    let seen = 0;
    for (const { key, position, content, windowClass } of index.of(this.#first, last)) {
      if (++seen % DRAIN_ENTRIES === 0) await writer.drain();
      if (this.#table[position - this.#first] === HAS_EVENT) this.#entriesOfEvents++;
      else {
        writer.key({
          key: hexOf(key),
          position,
          content: hex(content.high) + hex(content.low),
          keyLife: expiry.lifeOf(position, windowClass),
        });
      }
    }
    await writer.drain();
  }
}

function hexOf({ a, b, c, d }: Key): string {
  return hex(a) + hex(b) + hex(c) + hex(d);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
