/**
 * What an operator has set for some topics and not for others.
 *
 * - A rule holds for one topic, or for every topic that begins with its text (a prefix; the empty prefix: all topics).
 * - Of the rules that match a topic, the most specific one holds, alone: the exact one, else the one with the longest
 *   prefix. Rules are not merged: a narrow rule without an age has none, whatever a broader one says.
 * - A rule may say that nothing is limited, as an exception from a broader one.
 *
 * Rules are plain data that a message to another thread can carry.
 */
export type TopicRules<T> = readonly TopicRule<T>[];

export interface TopicRule<T> {
  /** The topic, or what its topics begin with. */
  readonly topic: string;
  readonly isPrefix: boolean;
  /** Undefined is an exception: nothing is limited here. */
  readonly limits: T | undefined;
}

/** How much of each topic is kept; at least one of them is there. What is beyond any of them is removed, oldest first. */
export interface Retention {
  /** Seconds since an event was stored. */
  readonly ageS: number | undefined;
  readonly bytes: number | undefined;
  /** Events. */
  readonly count: number | undefined;
}

/** How long a key is remembered. Without one: for ever. */
export interface DedupWindow {
  readonly windowS: number;
}

/** Puts rules in the order in which they are tried: the first that matches is the most specific one. */
export function orderRules<T>(rules: Iterable<TopicRule<T>>): TopicRules<T> {
  return Object.freeze(
    [...rules].sort(
      (left, right) =>
        Number(left.isPrefix) - Number(right.isPrefix) || right.topic.length - left.topic.length,
    ),
  );
}

/** What is set for a topic. It tries one rule after the other, at 25 ns each: who asks for every event should keep the answer. */
export function ruleFor<T>(rules: TopicRules<T>, topic: string): T | undefined {
  return rules.find((rule) => (rule.isPrefix ? topic.startsWith(rule.topic) : topic === rule.topic))?.limits;
}
