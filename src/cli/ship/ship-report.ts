import type { PublishAnswer } from '../../protocol/wire.ts';
import { grouped } from '../terminal.ts';
import type { Lack } from './line-event.ts';

/** Where a line stands, for people. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** What became of the lines, counted; and what people have to know meanwhile, told on standard error. */
export class ShipReport {
  readonly #write: (text: string) => void;
  readonly #told = new Set<string>();
  #serverFails = false;
  /** lines = stored + duplicates + conflicts + rejected, once all are answered for. */
  readonly counts = {
    files: 0,
    lines: 0,
    stored: 0,
    duplicates: 0,
    conflicts: 0,
    rejected: 0,
    /** Not shipped: there is nothing in them. */
    blank: 0,
    /** Not shipped again: the checkpoint says that the server has them. */
    skipped: 0,
    without_time: 0,
    without_id: 0,
    not_utf8: 0,
  };
  /** Files that were not shipped to their end. */
  failures = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  get isClean(): boolean {
    return this.failures + this.counts.rejected + this.counts.conflicts === 0;
  }

  tell(text: string): void {
    this.#write(`sekali: ${text}\n`);
  }

  /** Tells what holds for the whole run, however often it is found. */
  tellOnce(text: string): void {
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.tell(text);
  }

  /** The server does not answer, or not well, and is asked again: told once, until it does. */
  serverFails(reason: string): void {
    if (!this.#serverFails) this.tell(`${reason}; trying again`);
    this.#serverFails = true;
  }

  /** A file that could not be shipped, or not to its end. */
  fail(text: string): void {
    this.failures++;
    this.tell(text);
  }

  lacking(lacks: readonly Lack[]): void {
    for (const lack of lacks) this.counts[LACK_COUNTS[lack]]++;
  }

  answered({ processed, duplicates, conflicts }: PublishAnswer): void {
    this.#serverAnswers();
    this.counts.stored += processed ?? 0;
    this.counts.duplicates += duplicates ?? 0;
    this.counts.conflicts += conflicts ?? 0;
  }

  rejected({ file, line }: Place, reason: string): void {
    this.counts.rejected++;
    this.tell(`${file}:${line}: rejected: ${reason}`);
  }

  /** Counted by {@link answered}. */
  conflict({ file, line }: Place, eventId: string): void {
    this.tell(`${file}:${line}: conflict: ${JSON.stringify(eventId)} is stored with other content`);
  }

  /** One line: for people, or as JSON. */
  summary(forPeople: boolean): string {
    if (!forPeople) return `${JSON.stringify(this.counts)}\n`;
    const { files, lines, stored, duplicates, ...rest } = this.counts;
    const seldom = Object.entries(rest).filter(([name, count]) => count > 0 || name === 'rejected');
    const parts = [
      `${grouped(lines)} lines of ${files} ${files === 1 ? 'file' : 'files'}`,
      ...[['stored', stored] as const, ['duplicates', duplicates] as const, ...seldom].map(
        ([name, count]) => `${grouped(count)} ${name.replaceAll('_', ' ')}`,
      ),
    ];
    return `${parts.join(', ')}\n`;
  }

  #serverAnswers(): void {
    if (this.#serverFails) this.tell('the server takes events again');
    this.#serverFails = false;
  }
}

const LACK_COUNTS = { time: 'without_time', id: 'without_id', utf8: 'not_utf8' } as const satisfies Record<
  Lack,
  keyof ShipReport['counts']
>;
