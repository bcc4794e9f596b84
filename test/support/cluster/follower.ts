import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { EventsAnswer, WireStoredEvent } from '../../../src/client/index.ts';
import { send } from '../http.ts';
import { until } from '../until.ts';

const PAGE_EVENTS = 500;
const PAUSE_MS = 25;

/** What all readers of a cluster have seen at each position, as text. */
export type Seen = Map<number, string>;

/** Reads the log of one instance as it grows, by cursor, and asks again after whatever failed. */
export class Follower {
  /** Positions in the order in which it saw them. */
  readonly positions: number[] = [];
  readonly #url: string;
  readonly #seen: Seen;
  readonly #problems: string[];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #running: Promise<void>;
  #stopping = false;

  constructor(url: string, seen: Seen, problems: string[]) {
    this.#url = url;
    this.#seen = seen;
    this.#problems = problems;
    this.#running = this.#run();
  }

  /** Lets it read as far as this position. */
  async stopAt(position: number): Promise<void> {
    await until(`the reader of ${this.#url} sees ${position}`, async () => this.#last >= position);
    this.#stopping = true;
    await this.#running;
  }

  abandon(): void {
    this.#stopping = true;
    this.#agent.destroy();
  }

  get #last(): number {
    return this.positions.at(-1) ?? 0;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const page = await this.#read();
      for (const event of page) this.#take(event);
      if (page.length < PAGE_EVENTS) await pause(PAUSE_MS);
    }
  }

  async #read(): Promise<WireStoredEvent[]> {
    try {
      const path = `/events?after=${this.#last}&limit=${PAGE_EVENTS}`;
      const answer = await send(this.#url, path, { agent: this.#agent });
      if (answer.status === 200) return answer.json<EventsAnswer & Record<string, unknown>>().events;
      if (answer.status !== 503) this.#problems.push(`/events answers ${answer.status}: ${answer.text}`);
      return [];
    } catch {
      return []; // the instance is down
    }
  }

  #take(event: WireStoredEvent): void {
    const { position } = event;
    if (position <= this.#last) this.#problems.push(`${position} comes after ${this.#last}`);
    this.positions.push(position);
    const text = JSON.stringify(event);
    const before = this.#seen.get(position);
    if (before !== undefined && before !== text) this.#problems.push(`${before} has become ${text}`);
    this.#seen.set(position, text);
  }
}
