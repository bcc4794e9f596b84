import type { FeedStep } from '../deliver/feed.ts';
import type { PageRun } from '../deliver/page-runs.ts';
import type { PrintedPage } from '../store/store-reader.ts';

/**
 * The frames of a feed, as they are written. Those that follow one another in their page are written from there; others are put together,
 * once for all who follow the same topics live.
 */
export class EventFrames {
  /** They go with their page. */
  readonly #shared = new WeakMap<PrintedPage, Map<string, Buffer>>();

  /** @param who the same for all who want the same events */
  of({ page, runs, through, isLive }: FeedStep, who: string): Buffer {
    const [run] = runs;
    if (run === undefined) return Buffer.alloc(0);
    if (runs.length === 1) return framesOf(page, run);
    if (!isLive) return joined(page, runs);
    const ofPage = this.#ofPage(page);
    const key = `${run.first} ${through} ${who}`;
    const frames = ofPage.get(key) ?? joined(page, runs);
    ofPage.set(key, frames);
    return frames;
  }

  #ofPage(page: PrintedPage): Map<string, Buffer> {
    let ofPage = this.#shared.get(page);
    if (ofPage === undefined) this.#shared.set(page, (ofPage = new Map()));
    return ofPage;
  }
}

/** Bytes that are written at one time: whoever takes this much in the time given is not too slow. */
const PIECE_BYTES = 64 * 1024;

/** A step in pieces that are written one after the other, each of whole events. */
export function* inPieces({ page, runs, isLive }: FeedStep): Generator<FeedStep> {
  let piece: PageRun[] = [];
  let bytes = 0;
  for (const run of runs) {
    let { first } = run;
    for (let n = first; n < run.end; n++) {
      bytes += page.ends[n]! - startOf(page, n);
      if (bytes < PIECE_BYTES) continue;
      piece.push({ first, end: n + 1 });
      yield { page, runs: piece, through: page.positions[n]!, isLive };
      piece = [];
      bytes = 0;
      first = n + 1;
    }
    if (first < run.end) piece.push({ first, end: run.end });
  }
  const last = piece.at(-1);
  if (last !== undefined) yield { page, runs: piece, through: page.positions[last.end - 1]!, isLive };
}

function joined(page: PrintedPage, runs: readonly PageRun[]): Buffer {
  return Buffer.concat(runs.map((run) => framesOf(page, run)));
}

function framesOf(page: PrintedPage, { first, end }: PageRun): Buffer {
  const { text, ends } = page;
  const start = startOf(page, first);
  return Buffer.from(text.buffer, text.byteOffset + start, ends[end - 1]! - start);
}

function startOf({ ends }: PrintedPage, n: number): number {
  return n === 0 ? 0 : ends[n - 1]!;
}

/** No event, but the place at which a client that comes back goes on. */
export function printPlace(position: number): string {
  return `id: ${position}\n\n`;
}
