import type { EventsAnswer, QueryParameters, Sekali, WireStoredEvent } from '../../client/index.ts';
import type { Simulation } from './simulation.ts';

/** Where the events of a run were found in the log. */
export interface LogTally {
  /** Events stored since the run began, no matter whose. */
  added: number;
  /** Of the run, stored since it began. */
  fresh: number;
  /** Of the run, stored before it began: the same seed was sent before. */
  earlier: number;
  /** Of the run, found nowhere. */
  missing: number;
  /** Of the run, found a second time; counted each further time. */
  doubled: number;
  /** Of the run, found with another payload than was sent. */
  altered: number;
  /** Ids of some that are missing, doubled or altered. */
  readonly examples: string[];
}

const EXAMPLES_MAX = 5;
const PAGE_EVENTS = 1000;

/** Reads the log and ticks off, by its number, each event of a simulation that was sent. */
export class ReadBack {
  readonly tally: LogTally;
  readonly #client: Sekali;
  readonly #simulation: Simulation;
  /** By number: 1 once the event was found. */
  readonly #found: Uint8Array;

  /** @param distinct how many of the simulation's events were sent: those with the numbers 0 to `distinct` - 1 */
  constructor(client: Sekali, simulation: Simulation, distinct: number) {
    this.#client = client;
    this.#simulation = simulation;
    this.#found = new Uint8Array(distinct);
    this.tally = { added: 0, fresh: 0, earlier: 0, missing: distinct, doubled: 0, altered: 0, examples: [] };
  }

  /** Reads all that was stored above one position, up to another one. */
  async readAdded(above: number, last: number): Promise<void> {
    for await (const events of this.#pages('after', above, { before: last + 1 })) {
      this.tally.added += events.length;
      this.tally.fresh += this.#tickOff(events);
    }
  }

  /**
   * Looks up to a position for what is still missing, newest first, and only until all is found: after an earlier run of
   * the same seed that is soon, and to say that an event is nowhere, one has to have looked everywhere.
   */
  async findEarlier(upTo: number): Promise<void> {
    if (this.tally.missing === 0) return;
    for (const [topic, count] of this.#missingByTopic()) {
      let left = count;
      for await (const events of this.#pages('before', upTo + 1, { topic, order: 'desc' })) {
        const found = this.#tickOff(events);
        this.tally.earlier += found;
        left -= found;
        if (left === 0) break;
      }
    }
    for (const number of this.#missing()) {
      if (!this.#addExample(this.#simulation.event(number).event_id)) break;
    }
  }

  /** @returns how many of the events are of the run and were not found before */
  #tickOff(events: readonly WireStoredEvent[]): number {
    let found = 0;
    for (const event of events) {
      const number = this.#simulation.numberOf(event.event_id);
      if (number === undefined || number >= this.#found.length) continue;
      const sent = this.#simulation.event(number);
      // The same seed with other topics: the same id, but another event.
      if (event.topic !== sent.topic) continue;
      if (this.#found[number] === 1) {
        this.tally.doubled++;
        this.#addExample(event.event_id);
        continue;
      }
      this.#found[number] = 1;
      this.tally.missing--;
      found++;
      // Of the payload alone: it is the content. Timestamp and source may be those of an earlier run.
      if (JSON.stringify(event.payload) !== JSON.stringify(sent.payload)) {
        this.tally.altered++;
        this.#addExample(event.event_id);
      }
    }
    return found;
  }

  #missingByTopic(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const number of this.#missing()) {
      const { topic } = this.#simulation.event(number);
      counts.set(topic, (counts.get(topic) ?? 0) + 1);
    }
    return counts;
  }

  *#missing(): Generator<number> {
    for (let number = 0; number < this.#found.length; number++) {
      if (this.#found[number] === 0) yield number;
    }
  }

  /** @returns whether there is room for another one */
  #addExample(eventId: string): boolean {
    if (this.tally.examples.length < EXAMPLES_MAX) this.tally.examples.push(eventId);
    return this.tally.examples.length < EXAMPLES_MAX;
  }

  /** Pages, not a stream: each is tried again by itself when the server goes away in the middle. */
  async *#pages(
    cursor: 'after' | 'before',
    start: number,
    query: QueryParameters,
  ): AsyncGenerator<readonly WireStoredEvent[]> {
    let next: number | null = start;
    while (next !== null) {
      const page: EventsAnswer = await this.#client.events({ ...query, [cursor]: next, limit: PAGE_EVENTS });
      yield page.events;
      next = page.next;
    }
  }
}
