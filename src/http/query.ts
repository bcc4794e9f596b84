import { SekaliError } from '../errors.ts';
import { checkName } from '../event.ts';
import { type Instant, parseInstant } from '../instant.ts';
import { didYouMean } from '../nearest.ts';
import type { Kind } from '../settings.ts';

/** The parameters that an address takes: of which kind, and what holds when one is absent. */
export type Parameters = Readonly<Record<string, { kind: Kind<unknown>; fallback: unknown }>>;

export type ParameterValues<P extends Parameters> = {
  [Name in keyof P]: P[Name] extends { kind: Kind<infer T>; fallback: infer F } ? T | F : never;
};

/**
 * Reads a query string. An unknown parameter is refused too: an answer to another question than was asked is no help.
 *
 * @throws SekaliError `parameter_invalid`, naming the parameter and the rule
 */
export function readQuery<P extends Parameters>(parameters: P, query: unknown): ParameterValues<P> {
  const given = query as Record<string, string | string[]>;
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(parameters, name)) {
      throw invalid(name, `${name} is no parameter here${didYouMean(name, Object.keys(parameters))}`);
    }
  }
  const values: Record<string, unknown> = {};
  for (const [name, { kind, fallback }] of Object.entries(parameters)) {
    const text = given[name];
    if (Array.isArray(text)) throw invalid(name, `${name} is given twice`);
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

export const dateTime: Kind<Instant> = {
  isSwitch: false,
  read(given) {
    const value = parseInstant(given);
    return value === undefined ? { rule: 'an RFC 3339 date-time, as 2026-01-31T12:00:00Z' } : { value };
  },
};

function invalid(parameterName: string, detail: string): SekaliError {
  return new SekaliError('parameter_invalid', detail, { parameter: parameterName });
}
