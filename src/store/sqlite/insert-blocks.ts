import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Instant } from '../../instant.ts';
import { EVENT_WORDS, type EventPack, RECORD_BYTES, START, TOPIC } from '../event-pack.ts';
import { BLOCK_BYTES_MAX, blockBytesOf, DirectoryWriter } from './block.ts';
import { TopicBlockLog } from './topic-block-log.ts';

/** Writes events at consecutive positions, in blocks, and which topics each block has. */
export class BlockInserter {
  readonly #insertBlock: StatementSync;
  readonly #topicBlocks: TopicBlockLog;
  readonly #directory = new DirectoryWriter();

  #pack: EventPack | undefined;
  #topicIds: readonly number[] = [];
  #processedAt: Instant = 0;
  /** Of the events of the block that is open, in the pack. */
  readonly #listed = new Int32Array(BLOCK_BYTES_MAX);
  #count = 0;
  #firstPosition = 0;
  #bytes = 0;
  #records = Buffer.alloc(BLOCK_BYTES_MAX);
  /** Events and bytes of the open block by topic number of the pack, and the topics that have any. */
  #topicEvents = new Int32Array(64);
  #topicBytes = new Float64Array(64);
  #topics: number[] = [];

  constructor(db: DatabaseSync) {
    this.#insertBlock = db.prepare(
      'INSERT INTO blocks (first_position, processed_at_us, directory, records) VALUES (?, ?, ?, ?)',
    );
    this.#topicBlocks = new TopicBlockLog(db);
  }

  /** @param topicIds the number in the database of each topic of the pack */
  begin(pack: EventPack, topicIds: readonly number[], processedAt: Instant): void {
    this.#pack = pack;
    this.#topicIds = topicIds;
    this.#processedAt = processedAt;
    this.#count = 0;
    if (this.#topicEvents.length < topicIds.length) {
      this.#topicEvents = new Int32Array(topicIds.length * 2);
      this.#topicBytes = new Float64Array(topicIds.length * 2);
    }
  }

  /** Adds event `i` of the pack at this position, the next one after the event added before. */
  add(i: number, position: number): void {
    const words = this.#pack!.words;
    const at = i * EVENT_WORDS;
    const recordBytes = words[at + RECORD_BYTES]!;
    const bytes = blockBytesOf(recordBytes);
    if (this.#count > 0 && this.#bytes + bytes > BLOCK_BYTES_MAX) this.#writeBlock();
    if (this.#count === 0) {
      this.#firstPosition = position;
      this.#bytes = 0;
    }
    this.#listed[this.#count++] = i;
    this.#bytes += bytes;
    const topic = words[at + TOPIC]!;
    if (this.#topicEvents[topic] === 0) this.#topics.push(topic);
    this.#topicEvents[topic]!++;
    this.#topicBytes[topic]! += recordBytes;
  }

  /** Writes what has been added and is not written yet. @param lastPosition of what has ever been added */
  flush(lastPosition: number): void {
    if (this.#count > 0) this.#writeBlock();
    this.#topicBlocks.flushIfDue(lastPosition);
    this.#pack = undefined;
  }

  /** Brings `topic_blocks` up to date. */
  noteTopics(lastPosition: number): void {
    this.#topicBlocks.flush(lastPosition);
  }

  #writeBlock(): void {
    const pack = this.#pack!;
    const topicIds = this.#topicIds;
    const records = this.#gatherRecords(pack);
    const topicIdOf = (i: number) => topicIds[pack.words[i * EVENT_WORDS + TOPIC]!]!;
    const directory = this.#directory.write(pack, this.#listed, this.#count, topicIdOf, records, {
      firstPosition: this.#firstPosition,
      processedAt: this.#processedAt,
    });
    this.#insertBlock.run(this.#firstPosition, this.#processedAt, directory, records);
    this.#topicBlocks.addBlock();
    for (const topic of this.#topics) {
      const [events, bytes] = [this.#topicEvents[topic]!, this.#topicBytes[topic]!];
      this.#topicBlocks.add(topicIds[topic]!, this.#firstPosition, events, bytes);
      this.#topicEvents[topic] = 0;
      this.#topicBytes[topic] = 0;
    }
    this.#topics = [];
    this.#count = 0;
  }

  /** The records of the open block. New events lie back to back in the pack: then nothing is copied. */
  #gatherRecords(pack: EventPack): Uint8Array {
    const { words, bytes } = pack;
    const first = this.#listed[0]!;
    const last = this.#listed[this.#count - 1]!;
    if (last - first + 1 === this.#count) {
      const lastAt = last * EVENT_WORDS;
      return bytes.subarray(
        words[first * EVENT_WORDS + START],
        words[lastAt + START]! + words[lastAt + RECORD_BYTES]!,
      );
    }

    let length = 0;
    for (let n = 0; n < this.#count; n++) {
      const at = this.#listed[n]! * EVENT_WORDS;
      const recordStart = words[at + START]!;
      length += bytes.copy(this.#records, length, recordStart, recordStart + words[at + RECORD_BYTES]!);
    }
    return this.#records.subarray(0, length);
  }
}
