import { SekaliError } from '../errors.ts';
import { checkName } from '../event.ts';
import { type Instant, parseInstant } from '../instant.ts';
import { didYouMean } from '../nearest.ts';
import { integer, type Kind } from '../settings.ts';
import { patternRule } from '../topic-filter.ts';

/** The parameters that an address takes: of which kind, and what holds when one is absent. */
export type Parameters = Readonly<Record<string, { kind: Kind<unknown>; fallback: unknown }>>;

export type ParameterValues<P extends Parameters> = {
  [Name in keyof P]: P[Name] extends { kind: Kind<infer T>; fallback: infer F } ? T | F : never;
};

/** A query string as it was sent. */
type RawQuery = { readonly text: string };

/**
 * What the router makes of a query string: nothing yet. A parser there could refuse nothing, and would have to take
 * `%zz` for what it is not.
 */
export function keepQuery(text: string): RawQuery {
  return { text };
}

/**
 * Reads a query string. An unknown parameter is refused too: an answer to another question than was asked is no help.
 *
 * @param query what {@link keepQuery} made of it
 * @throws SekaliError `parameter_invalid`, naming the parameter and the rule
 */
export function readQuery<P extends Parameters>(parameters: P, query: unknown): ParameterValues<P> {
  const given = parseQuery((query as RawQuery).text);
  for (const name of given.keys()) {
    if (!Object.hasOwn(parameters, name)) {
      throw invalid(name, `${name} is no parameter here${didYouMean(name, Object.keys(parameters))}`);
    }
  }
  const values: Record<string, unknown> = {};
  for (const [name, { kind, fallback }] of Object.entries(parameters)) {
    const text = given.get(name);
    if (text === undefined) {
      values[name] = fallback;
      continue;
    }
    const result = kind.read(text);
    if ('rule' in result) throw invalid(name, `${name} must be ${result.rule}, not ${JSON.stringify(text)}`);
    values[name] = result.value;
  }
  return values as ParameterValues<P>;
}

/** `topic=a%2Fb&limit=10`, with `+` for a space (WHATWG URL, application/x-www-form-urlencoded). */
function parseQuery(query: string): Map<string, string> {
  const given = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    if (given.has(name)) throw invalid(name, `${name} is given twice`);
    given.set(name, equals === -1 ? '' : decode(pair.slice(equals + 1), name));
  }
  return given;
}

function decode(text: string, name: string = text): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalid(name, `${JSON.stringify(text)} must be percent-encoded UTF-8`);
  }
}

export function parameter<T, F>(kind: Kind<T>, fallback: F): { kind: Kind<T>; fallback: F } {
  return { kind, fallback };
}

/** A topic, an event_id or a source, by the rule for those. */
export const name: Kind<string> = {
  isSwitch: false,
  read(given) {
    const rejection = checkName('it', given);
    return rejection ? { rule: `a name (${rejection.detail})` } : { value: given };
  },
};

export const position = integer(0, Number.MAX_SAFE_INTEGER);

/** Which topics: topic-filter.ts. */
export const topicPattern: Kind<string> = {
  isSwitch: false,
  read(given) {
    const rule = patternRule(given);
    return rule === undefined ? { value: given } : { rule: `a pattern of topics (${rule})` };
  },
};

export const dateTime: Kind<Instant> = {
  isSwitch: false,
  read(given) {
    // A `+` that was not escaped arrives as a space: before an offset it can have been nothing else.
    const value = parseInstant(given.replace(/ (?=\d\d:?\d\d$)/, '+'));
    return value === undefined ? { rule: 'an RFC 3339 date-time, as 2026-01-31T12:00:00Z' } : { value };
  },
};

function invalid(parameterName: string, detail: string): SekaliError {
  return new SekaliError('parameter_invalid', detail, { parameter: parameterName });
}
