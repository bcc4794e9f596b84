import { didYouMean } from './nearest.ts';
import { bytes, duration, integer, type Kind, type Reading } from './settings.ts';
import { type Glyphs, glyphsOf, readPattern, shownPattern, splitGlyphs, textOf } from './topic-pattern.ts';
import {
  type DedupWindow,
  orderRules,
  type Retention,
  type TopicRule,
  type TopicRules,
} from './topic-rules.ts';

/**
 * What is given for one topic. The settings by topic have two forms:
 *
 * - a text, `TOPIC:LIMITS;TOPIC:LIMITS`. It is cut at the first colon, so that a comma in place of a semicolon is found and
 *   not taken for part of a topic.
 * - in the configuration file, also an object: `{"TOPIC": LIMITS}`, where the topic is taken with its white space, and its
 *   colons and semicolons need no backslash.
 */
interface Entry {
  readonly pattern: Glyphs;
  /** As it was given; undefined where a text has no colon. */
  readonly limits: unknown;
}

/** Reads what is given for one topic; it says each problem, and then what it returns is not used. */
type LimitsReader<T> = (given: unknown, say: (problem: string) => void) => T;

/** In place of limits: an exception from a broader rule. */
const FOREVER = 'forever';

const MIB = 1024 ** 2;
const LIMITS: Readonly<Record<string, Kind<number>>> = {
  age: duration,
  // Below it, one event of the usual size limit would be too much.
  bytes: bytes(MIB, 1024 ** 5),
  count: integer(1, Number.MAX_SAFE_INTEGER),
};
const LIMIT_NAMES = Object.keys(LIMITS);
const LIMIT_FORM = `one or more of age=…, bytes=… and count=…, or ${FOREVER}`;

export const retentionRules: Kind<TopicRules<Retention>> = perTopic(
  'rules such as orders:age=30d,bytes=10GiB,count=1000000, separated by semicolons',
  'TOPIC:LIMITS, as orders:age=30d,bytes=10GiB',
  (given, say) => {
    const limits = limitsOf(given);
    if (limits.length === 0) say(`give ${LIMIT_FORM}`);
    const values = new Map<string, number>();
    for (const [name, value] of limits) {
      const kind = Object.hasOwn(LIMITS, name) ? LIMITS[name] : undefined;
      if (kind === undefined) say(noLimit(name));
      else if (values.has(name)) say(`${name} is given twice`);
      else values.set(name, readWith(kind, name, value, say));
    }
    return Object.freeze({
      ageS: values.get('age'),
      bytes: values.get('bytes'),
      count: values.get('count'),
    });
  },
);

export const dedupWindowRules: Kind<TopicRules<DedupWindow>> = perTopic(
  'rules such as orders:24h, separated by semicolons',
  'TOPIC:WINDOW, as orders:24h',
  (given, say) => Object.freeze({ windowS: readWith(duration, 'the window', given, say) }),
);

function perTopic<T>(rule: string, shape: string, readLimits: LimitsReader<T>): Kind<TopicRules<T>> {
  const readAll = (entries: readonly Entry[]): Reading<TopicRules<T>> => {
    const problems: string[] = [];
    const rules = new Map<string, TopicRule<T>>();
    for (const { pattern, limits } of entries) {
      const shown = JSON.stringify(textOf(pattern));
      const say = (problem: string) => problems.push(`${shown}: ${problem}`);
      if (limits === undefined) {
        problems.push(`${shown} must be ${shape}`);
        continue;
      }
      const read = readPattern(pattern);
      const value = limits === FOREVER ? undefined : readLimits(limits, say);
      if (typeof read === 'string') say(read);
      else {
        const identity = JSON.stringify(read);
        if (rules.has(identity)) say('the topic has a rule already');
        rules.set(identity, Object.freeze({ ...read, limits: value }));
      }
    }
    return problems.length > 0 ? { rule, problems } : { value: orderRules(rules.values()) };
  };
  return {
    isSwitch: false,
    read: (text) => readAll(entriesOf(text)),
    readMembers: (members) =>
      readAll(
        Object.entries(members)
          .filter(([, limits]) => limits !== null)
          .map(([pattern, limits]) => ({ pattern: glyphsOf(pattern), limits })),
      ),
  };
}

function entriesOf(text: string): Entry[] {
  return splitGlyphs(glyphsOf(text), ';')
    .filter((rule) => rule.length > 0)
    .map((rule) => {
      const [pattern = [], limits] = splitGlyphs(rule, ':', 1);
      return { pattern, limits: limits && textOf(limits) };
    });
}

/** Each limit with its value, from `age=1d,count=5` or from an object; none from anything else. */
function limitsOf(given: unknown): [name: string, value: unknown][] {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
    return Object.entries(given).filter(([, value]) => value !== null);
  }
  if (typeof given !== 'string') return [];
  return given
    .split(',')
    .filter((limit) => limit.trim() !== '')
    .map((limit) => {
      const [name = '', value = ''] = limit.split(/=(.*)/s, 2);
      return [name.trim(), value.trim()];
    });
}

function noLimit(name: string): string {
  const hint = name.includes(':')
    ? '; a colon in a topic is written \\:'
    : didYouMean(name, LIMIT_NAMES) || `: give ${LIMIT_FORM}`;
  return `${JSON.stringify(name)} is no limit${hint}`;
}

/** A number in the file stands for its digits. */
function readWith(kind: Kind<number>, name: string, given: unknown, say: (problem: string) => void): number {
  const text = typeof given === 'number' ? String(given) : given;
  const reading = typeof text === 'string' ? kind.read(text) : kind.read('');
  if ('value' in reading) return reading.value;
  say(`${name} must be ${reading.rule}, not ${JSON.stringify(given)}`);
  return Number.NaN;
}

/** What an operator may not have meant by rules that can be read. */
export function topicWarnings(
  retention: TopicRules<Retention>,
  dedupWindow: TopicRules<DedupWindow>,
  eventBytesMax: number,
): string[] {
  const warnings = retention
    .filter(({ limits }) => (limits?.bytes ?? Number.POSITIVE_INFINITY) < eventBytesMax)
    .map(
      (rule) =>
        `retention: ${shownPattern(rule)} keeps fewer bytes than one event may have (event-bytes-max): such an event is removed soon after it was stored`,
    );
  if (dedupWindow.some(({ topic, limits }) => topic === '' && limits !== undefined)) {
    warnings.push(
      'dedup-window: * lets go of keys in every topic that has no rule of its own: an event that is sent again after its window is stored again',
    );
  }
  return warnings;
}
