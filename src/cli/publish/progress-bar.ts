import { grouped, isInteractive, widthOf } from '../terminal.ts';

/** What is needed of the stream that it is drawn on. */
export interface BarStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const REDRAW_MS = 80;
const CLEAR_LINE = '\r\x1b[2K';
const BAR_MAX = 30;

/** How far a run is, on one line that is drawn over and over; nothing at all when it is not on a terminal. */
export class ProgressBar {
  readonly #stream: BarStream;
  readonly #total: number;
  readonly #now: () => number;
  readonly #startedAt: number;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #done = 0;

  constructor(stream: BarStream, total: number, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#total = total;
    this.#now = now;
    this.#startedAt = now();
  }

  update(done: number): void {
    this.#done = done;
    if (this.#now() - this.#drawnAt >= REDRAW_MS) this.#draw();
  }

  /** A line that stays, above the bar; without a terminal too. */
  note(text: string): void {
    const interactive = isInteractive(this.#stream);
    this.#stream.write(`${interactive ? CLEAR_LINE : ''}${text}\n`);
    this.#draw();
  }

  /** Takes the bar away. */
  clear(): void {
    if (isInteractive(this.#stream)) this.#stream.write(CLEAR_LINE);
  }

  #draw(): void {
    if (!isInteractive(this.#stream)) return;
    this.#drawnAt = this.#now();
    const seconds = (this.#drawnAt - this.#startedAt) / 1000;
    const share = this.#done / this.#total;
    const figures = `${grouped(this.#done)} of ${grouped(this.#total)}  ${grouped(Math.round(this.#done / Math.max(seconds, 0.001)))}/s`;
    const line = `${printBar(share, widthOf(this.#stream) - figures.length - 8)} ${percent(share)}  ${figures}`;
    // One column stays free: in the last one some terminals begin a new line.
    this.#stream.write(`${CLEAR_LINE}${line.slice(0, widthOf(this.#stream) - 1)}`);
  }
}

function printBar(share: number, room: number): string {
  const width = Math.max(0, Math.min(BAR_MAX, room));
  const filled = Math.floor(share * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`.padStart(5);
}
