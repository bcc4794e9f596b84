import type { WireEvent } from '../../client/index.ts';
import { formatInstant, type Instant, parseInstant } from '../../instant.ts';
import { seededRandom } from './random.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly topics: readonly string[];
  readonly sources: readonly string[];
  /** RFC 3339 date-time of event 0. */
  readonly start: string;
  readonly payloadBytes: number;
  /** Events to send, the re-sent ones included. */
  readonly total: number;
  /** Share of `total` that is re-sent, 0 to 1. */
  readonly dupRate: number;
}

const LEVELS = ['debug', 'info', 'info', 'info', 'warn', 'error'];

const WORDS =
  'order cart payment login session refund invoice parcel accepted started queued delivered expired repeated by for of with without after before customer merchant gateway warehouse device region tenant ';

const MICROS_PER_MS = 1000;

/**
 * What the publisher sends. Its events are numbered from 0, and an event depends on the seed, the options and its number
 * alone: no clock, no other event. So any of them can be made again, to be re-sent byte for byte or compared with what
 * the server kept, and none has to be remembered.
 */
export class Simulation {
  /** Events that are sent a second, third, … time. Never all of them: something has to be sent first. */
  readonly resent: number;
  /** Different events; their numbers are 0 to `distinct` - 1. */
  readonly distinct: number;
  readonly total: number;
  readonly #options: SimulationOptions;
  readonly #start: Instant;
  readonly #idPrefix: string;
  readonly #filler: string;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.total = options.total;
    this.resent = Math.min(Math.round(options.total * options.dupRate), options.total - 1);
    this.distinct = options.total - this.resent;
    const start = parseInstant(options.start);
    if (start === undefined) throw new RangeError(`${options.start} is no date-time`);
    this.#start = start;
    // All that shapes a payload is in the id: two runs that differ in it never claim the same event for two contents.
    this.#idPrefix = `sim-${options.seed}-${options.payloadBytes}-`;
    this.#filler = WORDS.repeat(1 + Math.ceil(options.payloadBytes / WORDS.length));
  }

  event(number: number): WireEvent {
    const { seed, topics, sources } = this.#options;
    const random = seededRandom(seed, number);
    return {
      topic: pick(topics, random()),
      event_id: this.#idPrefix + number,
      timestamp: formatInstant(Number(this.#start) + number * MICROS_PER_MS),
      source: pick(sources, random()),
      payload: this.#payload(number, random),
    };
  }

  /** The number of the event with this id, or undefined when it is none of this simulation. */
  numberOf(eventId: string): number | undefined {
    if (!eventId.startsWith(this.#idPrefix)) return undefined;
    const number = Number(eventId.slice(this.#idPrefix.length));
    // "01", "1.0" and " 1" are the number 1 too, but not its id.
    return number >= 0 && number < this.distinct && this.#idPrefix + number === eventId ? number : undefined;
  }

  /**
   * The numbers of the events in the order in which they are sent: new ones ascending, and between them, at random places,
   * exactly `resent` earlier ones (selection sampling: Knuth, The Art of Computer Programming 2, algorithm 3.4.2 S).
   */
  *order(): Generator<number, void, undefined> {
    const random = seededRandom(this.#options.seed);
    for (let sent = 0, fresh = 0; sent < this.total; sent++) {
      const resentLeft = this.resent - (sent - fresh);
      const isResent = fresh > 0 && random() * (this.total - sent) < resentLeft;
      yield isResent ? Math.floor(random() * fresh) : fresh++;
    }
  }

  #payload(number: number, random: () => number): WireEvent['payload'] {
    const payload = {
      number,
      level: pick(LEVELS, random()),
      duration_ms: Math.round(random() * 1_000_000) / 1000,
      message: '',
    };
    const from = Math.floor(random() * WORDS.length);
    const left = this.#options.payloadBytes - JSON.stringify(payload).length;
    payload.message = this.#filler.slice(from, from + left);
    return payload;
  }
}

function pick<T>(choices: readonly T[], random: number): T {
  return choices[Math.floor(random * choices.length)]!;
}
