import { checkName } from './event.ts';

/**
 * Which topics a reader wants. A topic is read as words with dots between them, and a *filter* is a list of patterns of such words:
 *
 * - `*` stands for one word: `orders.*` matches `orders.eu`, not `orders` and not `orders.eu.paid`;
 * - `>`, at the end, stands for one word or more: `orders.>` matches `orders.eu` and `orders.eu.paid`, `>` every topic;
 * - any other word stands for itself. (As in NATS, "Subject-Based Messaging", section "Wildcards".)
 *
 * A topic matches if one of the patterns does. A topic in which `*` is a whole word is matched by its own name, and by others.
 */
export class TopicFilter {
  readonly patterns: readonly string[];
  readonly #words: readonly (readonly string[])[];
  /** By topic: there are few topics, and many events. */
  readonly #known = new Map<string, boolean>();

  /** @param patterns at least one, each valid: {@link patternRule} */
  constructor(patterns: readonly string[]) {
    this.patterns = patterns;
    this.#words = patterns.map((pattern) => pattern.split('.'));
  }

  /** The only topic that can match, if there is only one. */
  get topic(): string | undefined {
    const [pattern] = this.patterns;
    return this.patterns.length === 1 && pattern !== undefined && isPlain(pattern) ? pattern : undefined;
  }

  matches(topic: string): boolean {
    let known = this.#known.get(topic);
    if (known === undefined) {
      const words = topic.split('.');
      known = this.#words.some((pattern) => matchesWords(pattern, words));
      if (this.#known.size >= KNOWN_MAX) this.#known.clear();
      this.#known.set(topic, known);
    }
    return known;
  }
}

/** Topics whose answer a filter remembers. */
const KNOWN_MAX = 10_000;

/** The rule that a pattern breaks, or undefined when it is valid. */
export function patternRule(pattern: string): string | undefined {
  const rejection = checkName('a pattern of topics', pattern);
  if (rejection !== undefined) return rejection.detail;
  const words = pattern.split('.');
  if (words.slice(0, -1).includes('>')) return '> must be the last word of a pattern of topics';
  const mixed = words.find((word) => word.length > 1 && /[*>]/.test(word));
  return mixed && `* and > stand for whole words, between dots: ${JSON.stringify(mixed)} is none`;
}

/** Whether a pattern stands for one topic, the one of its name. */
export function isPlain(pattern: string): boolean {
  return !pattern.split('.').some((word) => word === '*' || word === '>');
}

/** A regular expression (POSIX, and so PostgreSQL's) that matches the same topics. */
export function patternExpression(pattern: string): string {
  const words = pattern.split('.').map((word) => {
    if (word === '>') return '.*';
    return word === '*' ? '[^.]*' : word.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
  });
  return `^${words.join('\\.')}$`;
}

function matchesWords(pattern: readonly string[], words: readonly string[]): boolean {
  const hasRest = pattern.at(-1) === '>';
  const fixed = hasRest ? pattern.length - 1 : pattern.length;
  if (hasRest ? words.length <= fixed : words.length !== fixed) return false;
  for (let i = 0; i < fixed; i++) if (pattern[i] !== '*' && pattern[i] !== words[i]) return false;
  return true;
}
