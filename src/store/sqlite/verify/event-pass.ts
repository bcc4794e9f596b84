import type { DatabaseSync } from 'node:sqlite';
import type { Block } from '../block.ts';
import type { Meta } from '../meta.ts';
import { topicsIndexedThrough } from '../topic-block-log.ts';
import { Disagreements } from './disagreements.ts';
import { EventKeys } from './event-keys.ts';
import { type FaultList, MEND, positions } from './fault.ts';
import { forgettableBefore, retiredBefore } from './forgettable.ts';
import { KeyTable, SPAN } from './key-table.ts';
import { LoggedKeys } from './logged-keys.ts';
import { AllBlocks } from './read-all-blocks.ts';
import type { SealedKeys } from './sealed-keys.ts';
import { TopicBlockSums } from './topic-block-sums.ts';
import { TopicTallies } from './topic-tallies.ts';

/** Events after which progress is told. */
const TELL_EVENTS = 10_000;

export interface EventPassParts {
  readonly db: DatabaseSync;
  readonly meta: Meta;
  readonly sealed: SealedKeys;
  readonly lastPosition: number;
  readonly faults: FaultList;
  readonly span?: number | undefined;
}

/** Reads every event once, span by span, and holds it against the index. */
export class EventPass {
  readonly #parts: EventPassParts;
  readonly #blocks: AllBlocks;
  readonly #keys: EventKeys;
  readonly #tallies: TopicTallies;
  readonly #topicBlocks: TopicBlockSums;
  readonly #logged: LoggedKeys;
  readonly #verdicts: Disagreements;
  #onDone: (done: number) => void = () => {};
  #told = 0;
  /** Every block could be read as it was written. */
  #isWhole = true;
  /** The highest position read. */
  #reached = 0;
  events = 0;
  entries = 0;

  constructor(parts: EventPassParts) {
    const { db, meta } = parts;
    this.#parts = parts;
    this.#blocks = new AllBlocks(db);
    this.#keys = new EventKeys(db, meta);
    this.#tallies = new TopicTallies(db);
    this.#topicBlocks = new TopicBlockSums(topicsIndexedThrough(db));
    this.#logged = new LoggedKeys(db, parts.sealed.through, parts.faults);
    this.#verdicts = new Disagreements({
      sealed: parts.sealed,
      logged: this.#logged,
      faults: parts.faults,
      retiredBefore: retiredBefore(db),
      forgettableBefore: forgettableBefore(db, Date.now()),
    });
  }

  run(onDone: (done: number) => void): void {
    const { lastPosition, span = SPAN } = this.#parts;
    this.#onDone = onDone;
    for (let first = 1; first <= lastPosition; ) {
      const last = this.#endOfSpan(first + span - 1);
      const table = new KeyTable(first, last);
      this.#readEvents(table);
      this.#parts.sealed.takeInto(table, (entries) => this.#count(0, entries));
      if (last > this.#parts.sealed.through)
        this.#logged.takeInto(table, (entries) => this.#count(0, entries));
      this.#verdicts.tell(table);
      first = last + 1;
    }
    for (const { firstPosition } of this.#blocks.between(lastPosition + 1, Number.MAX_SAFE_INTEGER)) {
      this.#fault(
        'event',
        firstPosition,
        firstPosition,
        `events begin here, and the counters end at ${lastPosition}`,
      );
      return;
    }
  }

  /** After `run`: what was counted on the way, unless events were missing there. */
  checkTopics(): void {
    if (!this.#isWhole) return;
    const { db, faults, lastPosition } = this.#parts;
    this.#tallies.check(db, faults);
    this.#topicBlocks.check(db, () => this.#wholeBlocks(lastPosition), faults);
  }

  *#wholeBlocks(last: number): Generator<Block> {
    for (const { block } of this.#blocks.between(1, last)) if (block !== undefined) yield block;
  }

  /** A span ends where a block does: each block lies in one. */
  #endOfSpan(about: number): number {
    const { lastPosition } = this.#parts;
    if (about >= lastPosition) return lastPosition;
    for (const { firstPosition } of this.#blocks.between(about + 1, lastPosition)) return firstPosition - 1;
    return lastPosition;
  }

  #readEvents(table: KeyTable): void {
    let lost: { first: number; why: string } | undefined;
    const endLost = (last: number) => {
      if (lost === undefined) return;
      table.noteUnreadable(lost.first, last);
      this.#fault('event', lost.first, last, `the block cannot be read: ${lost.why}`);
      lost = undefined;
    };
    for (const { firstPosition, block, fault } of this.#blocks.between(table.first, table.last)) {
      endLost(firstPosition - 1);
      if (fault !== undefined) this.#isWhole = false;
      if (block === undefined) {
        lost = { first: firstPosition, why: fault ?? '' };
        continue;
      }
      if (fault !== undefined) {
        const last = block.position(block.length - 1);
        this.#fault(
          'event',
          firstPosition,
          last,
          `the block is damaged: ${fault}; those of its keys and contents that are hit follow`,
        );
      }
      this.#readBlock(table, block, fault !== undefined);
    }
    endLost(table.last);
  }

  #readBlock(table: KeyTable, block: Block, isDamaged: boolean): void {
    for (let n = 0; n < block.length; n++) {
      const position = block.position(n);
      if (position <= this.#reached || !table.has(position)) {
        this.#isWhole = false;
        this.#fault(
          'event',
          position,
          position,
          `an event of the block at ${block.firstPosition} lies behind a later one`,
        );
        return;
      }
      this.#reached = position;
      this.#readEvent(table, block, n, position);
    }
    this.#count(block.length, 0);
    if (isDamaged) return;
    this.#tallies.add(block);
    this.#topicBlocks.add(block);
  }

  #readEvent(table: KeyTable, block: Block, n: number, position: number): void {
    const found = this.#keys.of(block, n);
    if (typeof found === 'number') {
      table.note(position, found);
      return;
    }
    this.#isWhole = false;
    this.#fault('event', position, position, `the event is damaged: ${found}`);
    table.noteUnreadable(position, position);
  }

  #fault(kind: string, first: number, last: number, what: string): void {
    this.#isWhole = false;
    this.#parts.faults.add(kind, { where: `sekali.db, ${positions(first, last)}`, what, mend: MEND.restore });
  }

  #count(events: number, entries: number): void {
    this.events += events;
    this.entries += entries;
    const done = this.events + this.entries;
    if (done - this.#told < TELL_EVENTS) return;
    this.#told = done;
    this.#onDone(done);
  }
}
