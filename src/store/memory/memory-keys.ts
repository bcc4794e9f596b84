import type { Fingerprint } from '../../event.ts';
import type { Instant } from '../../instant.ts';
import { type DedupWindow, ruleFor, type TopicRules } from '../../topic-rules.ts';

/** The first event of a key. */
export interface First {
  readonly position: number;
  readonly content: Fingerprint;
  readonly storedAt: Instant;
}

/** The keys of a store in memory: by topic, then by event_id, as they are. */
export class MemoryKeys {
  readonly #topics = new Map<string, Map<string, First>>();
  readonly #windows: TopicRules<DedupWindow>;
  #size = 0;

  constructor(windows: TopicRules<DedupWindow>) {
    this.#windows = windows;
  }

  /** Keys that are remembered. One that is beyond its dedup window counts until it is stored anew. */
  get size(): number {
    return this.#size;
  }

  /** The first event of a key, whether or not its dedup window is over. */
  find(topic: string, eventId: string): First | undefined {
    return this.#topics.get(topic)?.get(eventId);
  }

  /** As `find`, but for a key whose dedup window was over by this time. */
  known(topic: string, eventId: string, now: Instant): First | undefined {
    const first = this.find(topic, eventId);
    return first === undefined || this.#isOver(topic, first, now) ? undefined : first;
  }

  add(topic: string, eventId: string, first: First): void {
    const ids = this.#topics.get(topic) ?? new Map<string, First>();
    this.#topics.set(topic, ids);
    if (!ids.has(eventId)) this.#size++;
    ids.set(eventId, first);
  }

  clear(): void {
    this.#topics.clear();
    this.#size = 0;
  }

  #isOver(topic: string, { storedAt }: First, now: Instant): boolean {
    const windowS = ruleFor(this.#windows, topic)?.windowS;
    return windowS !== undefined && Number(now) - Number(storedAt) > windowS * 1_000_000;
  }
}
