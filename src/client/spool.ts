import type { Failure } from './batch-sender.ts';
import type { ClientError } from './client-error.ts';

/** What goes into one request, at most; an event that is larger goes alone. */
export interface RequestBounds {
  readonly eventsMax: number;
  readonly bytesMax: number;
}

export interface SpoolPage {
  /** JSON texts of events, the oldest first. */
  readonly texts: readonly string[];
  /** What was found damaged on the way to them: `spool_damaged`, each told once. */
  readonly damages: readonly ClientError[];
}

/**
 * Where the events of a publisher wait from `send` until the server has answered for them; in memory, unless another is given.
 *
 * The publisher relies on this: what `append` has resolved for is read in the order of the calls that were waited for, and read
 * again until it is settled. It reads one page at a time, and settles it before it reads the next one; `append` it calls meanwhile,
 * and as often at once as its callers do: they resolve in the order in which their events are read. To send, to try again and to tell
 * apart what the server says is not the spool's job.
 */
export interface Spool {
  /** Whether what it has taken outlives the process. Then nothing is given up: it is tried until the server answers. */
  readonly isDurable: boolean;
  /** Whether there is nothing to read or to settle. False where it is not known yet. */
  readonly isEmpty: boolean;

  /** Whether what waits would fill a request. */
  isFull(bounds: RequestBounds): boolean;

  /**
   * Takes an event, and waits while there is no room. When it rejects, the event is not taken.
   *
   * @param text JSON of the event, never empty
   */
  append(text: string, signal: AbortSignal): Promise<void>;

  /** What goes into the next request. Empty only when there is nothing, or nothing that is whole. */
  read(bounds: RequestBounds): Promise<SpoolPage>;

  /**
   * All that was read last has been answered. When it rejects, it is called again with the same list until it has resolved: what it has
   * kept of that is not to be kept twice.
   *
   * @param refused those of them that the server will never take, with its reasons
   */
  settle(refused: readonly Failure[]): Promise<void>;

  /** Lets go of what it holds. What is not settled stays, where it is durable. */
  close(): Promise<void>;
}
