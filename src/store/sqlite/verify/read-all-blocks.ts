import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { SekaliError } from '../../../errors.ts';
import { messageOf } from '../../../message-of.ts';
import { Block } from '../block.ts';
import { instantColumns, instantOf } from '../instant-column.ts';
import { readDamaged, structureFault } from './block-structure.ts';

const AT_ONCE = 64;

/** What lies in a row, or where one cannot be read. */
export interface ReadBlock {
  readonly firstPosition: number;
  /** Also of a damaged block whose structure can be read. */
  readonly block: Block | undefined;
  /** Why it is not what was written. */
  readonly fault: string | undefined;
}

/** Reads blocks by position, damaged ones too: what cannot be read is told, and reading goes on behind it. */
export class AllBlocks {
  readonly #some: StatementSync;
  readonly #next: StatementSync;

  constructor(db: DatabaseSync) {
    this.#some = db.prepare(`
      SELECT first_position, directory, records, ${instantColumns('processed_at_us', 'at')} FROM blocks
      WHERE first_position BETWEEN ? AND ? ORDER BY first_position LIMIT ?`);
    this.#next = db.prepare('SELECT first_position FROM blocks WHERE first_position > ? LIMIT 1');
  }

  /** The blocks that begin from `first` to `last`. */
  *between(first: number, last: number): Generator<ReadBlock> {
    for (let from = first; from <= last; ) {
      let read = 0;
      try {
        for (const row of this.#some.iterate(from, last, AT_ONCE)) {
          const found = toReadBlock(row);
          from = found.firstPosition + 1;
          read++;
          yield found;
        }
      } catch (error) {
        yield {
          firstPosition: from,
          block: undefined,
          fault: `no further row can be read (${messageOf(error)})`,
        };
        from = this.#behindHole(from, last);
        continue;
      }
      if (read < AT_ONCE) return;
    }
  }

  /** From where rows can be read again: a page that is no page hides all that lies on it. Looked for in growing strides. */
  #behindHole(from: number, last: number): number {
    let hidden = from;
    for (let stride = 1; hidden + stride <= last; stride *= 2) {
      try {
        const row = this.#next.get(hidden + stride);
        if (row === undefined) return last + 1;
        return row['first_position'] as number;
      } catch {
        hidden += stride;
      }
    }
    return last + 1;
  }
}

function toReadBlock(row: Record<string, SQLOutputValue>): ReadBlock {
  const { first_position: first, directory, records } = row;
  const firstPosition = first as number;
  if (!(directory instanceof Uint8Array) || !(records instanceof Uint8Array)) {
    return { firstPosition, block: undefined, fault: 'its columns are not what a block has' };
  }
  const processedAt = instantOf(row['at_s'], row['at_micros']);
  try {
    const block = new Block(firstPosition, processedAt, { directory, records });
    const fault = structureFault({ directory, records });
    return { firstPosition, block: fault === undefined ? block : undefined, fault };
  } catch (error) {
    if (!(error instanceof SekaliError)) throw error;
    const block = readDamaged(firstPosition, processedAt, { directory, records });
    return { firstPosition, block, fault: 'the checksum does not fit' };
  }
}
