import type { SequencePage, SequenceQuery } from '../../store/store-reader.ts';
import { Turns } from '../../turns.ts';
import type { Restart } from './course.ts';
import type { Gap } from './gap-list.ts';
import { PublisherSequence } from './publisher-sequence.ts';

/** Gaps of one publisher that are listed: the newest. */
export const GAPS_LISTED_MAX = 1000;

/** Gaps and restarts after which a page ends, however few publishers it has by then. */
const PAGE_ITEMS_MAX = 10_000;

/** What a publisher weighs by itself, and how many characters of its names are as much as a gap. */
const PUBLISHER_WEIGHT = 8;
const NAME_CHARACTERS = 25;

/** What is known of one publisher, at one moment. */
export interface PublisherGaps {
  readonly topic: string;
  readonly source: string;
  /** Those with a sequence. */
  readonly events: number;
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** Of the run under way. */
  readonly first: number;
  readonly highest: number;
  readonly missing: number;
  readonly gapCount: number;
  /** The newest {@link GAPS_LISTED_MAX}, by run and then by number. */
  readonly gaps: readonly Gap[];
  readonly forgotten: number;
  readonly outOfOrder: number;
  readonly repeated: number;
  readonly restartCount: number;
  readonly restarts: readonly Restart[];
}

export interface GapsPage {
  /** In the order of their first events. */
  readonly publishers: readonly PublisherGaps[];
  /** Everything up to here has been looked at. */
  readonly through: number;
  /** The `after` of the next page. */
  readonly next: number | undefined;
}

/** Of which publishers. */
export type GapFilter = Pick<SequenceQuery, 'topic' | 'source'>;

interface Publisher {
  readonly topic: string;
  readonly source: string;
  readonly sequence: PublisherSequence;
}

/** What has been worked out of the publishers that match a filter, up to a position. */
export class GapTracker {
  readonly filter: GapFilter;
  /** One reader catches up at a time. */
  readonly turns = new Turns(1);
  #through = 0;
  #weight = 0;
  readonly #byName = new Map<string, Publisher>();
  /** In the order of their first events. */
  readonly #publishers: Publisher[] = [];

  constructor(filter: GapFilter) {
    this.filter = filter;
  }

  get through(): number {
    return this.#through;
  }

  /** Memory that it takes, in gaps; one is about 100 bytes. */
  get weight(): number {
    return this.#weight;
  }

  /** Takes what follows {@link through}. */
  take({ events, through }: SequencePage): void {
    for (const event of events) {
      const { topic, source } = event;
      const name = `${topic}\0${source}`; // no name has a control character
      const publisher = this.#byName.get(name);
      if (publisher === undefined) {
        this.#add(name, { topic, source, sequence: new PublisherSequence(event) });
        continue;
      }
      const before = publisher.sequence.weight;
      publisher.sequence.take(event);
      this.#weight += publisher.sequence.weight - before;
    }
    this.#through = through;
  }

  /** Publishers whose first event is above a position. */
  page({ after, limit }: { readonly after: number; readonly limit: number }): GapsPage {
    const start = this.#publishers.findIndex(({ sequence }) => sequence.firstPosition > after);
    const left = start < 0 ? [] : this.#publishers.slice(start, start + limit + 1);
    const publishers: PublisherGaps[] = [];
    for (let listed = 0; publishers.length < limit && listed < PAGE_ITEMS_MAX; ) {
      const publisher = left[publishers.length];
      if (publisher === undefined) break;
      const shown = show(publisher);
      publishers.push(shown);
      listed += shown.gaps.length + shown.restarts.length;
    }
    const hasMore = left.length > publishers.length;
    return {
      publishers,
      through: this.#through,
      next: hasMore ? publishers.at(-1)?.firstPosition : undefined,
    };
  }

  #add(name: string, publisher: Publisher): void {
    this.#byName.set(name, publisher);
    this.#publishers.push(publisher);
    this.#weight += PUBLISHER_WEIGHT + Math.ceil(name.length / NAME_CHARACTERS);
  }
}

function show({ topic, source, sequence }: Publisher): PublisherGaps {
  const { events, firstPosition, lastPosition, first, highest, missing, gapCount } = sequence;
  const { forgotten, outOfOrder, repeated, restartCount, restarts } = sequence;
  const gaps = sequence.gaps().slice(-GAPS_LISTED_MAX);
  return {
    topic,
    source,
    events,
    firstPosition,
    lastPosition,
    first,
    highest,
    missing,
    gapCount,
    gaps,
    forgotten,
    outOfOrder,
    repeated,
    restartCount,
    restarts,
  };
}
