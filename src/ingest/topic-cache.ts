import type { JsonScanner } from '../content/json-scanner.ts';
import { checkName, type Rejection } from '../event.ts';
import type { KeyHasher, TopicState } from '../store/dedup/key.ts';
import type { EventPack } from '../store/event-pack.ts';

/** A topic that has been seen: its text, what the hash of all its keys begins with, its number in the open pack. */
export interface KnownTopic {
  readonly topic: string;
  readonly state: TopicState;
  /** The topic as it is sent when it is plain ASCII; undefined when it is not. */
  readonly plain: Buffer | undefined;
  pack: readonly string[] | undefined;
  number: number;
}

/** Topics that are remembered from one pack to the next; any number may come. */
const REMEMBERED = 4096;

/** Places by the first bytes and the length, so that a topic is known again without building its text. */
const PLACES = 256;

/**
 * Knows topics again: events are many, topics are few. A topic whose bytes are at its place is taken from there (no string,
 * no hash, no check of the rules); any other goes through the rules, and a map.
 */
export class TopicCache {
  readonly #hasher: KeyHasher;
  readonly #known = new Map<string, KnownTopic>();
  readonly #places: (KnownTopic | undefined)[] = Array.from({ length: PLACES }, () => undefined);

  constructor(hasher: KeyHasher) {
    this.#hasher = hasher;
  }

  /** Events are about to be added to this pack. */
  begin(pack: EventPack): void {
    // Not while a pack is open: a topic that is forgotten and comes again would have two numbers in it.
    if (pack.topics.length > 0 || this.#known.size < REMEMBERED) return;
    this.#known.clear();
    this.#places.fill(undefined);
  }

  /** The topic that the scanner has just scanned as a string. */
  read(scanner: JsonScanner): KnownTopic | Rejection {
    const { bytes, textStart: start, textEnd: end } = scanner;
    const place = placeOf(bytes, start, end);
    const candidate = this.#places[place];
    if (candidate?.plain !== undefined && isAt(candidate.plain, bytes, start, end)) return candidate;

    const topic = scanner.text();
    let known = this.#known.get(topic);
    if (known === undefined) {
      const rejection = checkName('topic', topic);
      if (rejection !== undefined) return rejection;
      known = this.#learn(topic);
    }
    this.#places[place] = known;
    return known;
  }

  /** The number of a topic in a pack, which gets it if it has not. */
  numberIn(pack: EventPack, known: KnownTopic): number {
    if (known.pack !== pack.topics) {
      known.pack = pack.topics;
      known.number = pack.topics.push(known.topic) - 1;
    }
    return known.number;
  }

  #learn(topic: string): KnownTopic {
    const bytes = Buffer.from(topic);
    const known: KnownTopic = {
      topic,
      state: this.#hasher.topicState(topic),
      plain: bytes.length === topic.length && !/["\\]/.test(topic) ? bytes : undefined,
      pack: undefined,
      number: 0,
    };
    this.#known.set(topic, known);
    return known;
  }
}

function placeOf(bytes: Uint8Array, start: number, end: number): number {
  const last = end > start ? bytes[end - 1]! : 0;
  const middle = end > start ? bytes[(start + end) >>> 1]! : 0;
  return (last * 31 + middle * 7 + (end - start)) & (PLACES - 1);
}

function isAt(text: Buffer, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text[i] !== bytes[start + i]) return false;
  return true;
}
