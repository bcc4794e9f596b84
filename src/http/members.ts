import { SekaliError } from '../errors.ts';
import { checkName } from '../event.ts';
import { didYouMean } from '../nearest.ts';

/** The members of a JSON object, as they were sent. */
export type Members = Readonly<Record<string, unknown>>;

/**
 * Reads one value.
 *
 * @param at what it is called in messages, as `backoff.first_ms`
 * @throws SekaliError `subscription_invalid`, naming the member and the rule
 */
export type Rule<T> = (value: unknown, at: string) => T;

/** The members that an object may have: the rule of each, and what holds when it is absent. */
export type Shape = Readonly<Record<string, { readonly rule: Rule<unknown>; readonly fallback: unknown }>>;

export type MemberValues<S extends Shape> = {
  [Name in keyof S]: S[Name] extends { rule: Rule<infer T>; fallback: infer F } ? T | F : never;
};

const REQUIRED = Symbol('required');

export function required<T>(rule: Rule<T>): { rule: Rule<T>; fallback: never } {
  return { rule, fallback: REQUIRED as never };
}

export function optional<T, F>(rule: Rule<T>, fallback: F): { rule: Rule<T>; fallback: F } {
  return { rule, fallback };
}

/**
 * Reads an object. An unknown member is refused: what was meant by it would not be done.
 *
 * @param at of the object itself: empty for a whole body
 */
export function readMembers<S extends Shape>(shape: S, given: Members, at = ''): MemberValues<S> {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(shape, name)) {
      const path = pathOf(at, name.slice(0, 64));
      throw invalidMember(
        path,
        `${JSON.stringify(path)} is no member here${didYouMean(name, Object.keys(shape))}`,
      );
    }
  }
  const values: Record<string, unknown> = {};
  for (const [name, { rule, fallback }] of Object.entries(shape)) {
    if (Object.hasOwn(given, name)) values[name] = rule(given[name], pathOf(at, name));
    else if (fallback === REQUIRED) throw invalidMember(pathOf(at, name), `${pathOf(at, name)} is required`);
    else values[name] = fallback;
  }
  return values as MemberValues<S>;
}

function pathOf(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}

export function object<S extends Shape>(shape: S): Rule<MemberValues<S>> {
  return (value, at) => readMembers(shape, asMembers(value, at), at);
}

export function asMembers(value: unknown, at: string): Members {
  if (isObject(value)) return value;
  throw invalidMember(at, `${at} must be an object${notThat(value)}`);
}

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function whole(min: number, max: number): Rule<number> {
  return (value, at) => {
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max)
      return value as number;
    throw invalidMember(at, `${at} must be an integer from ${min} to ${max}${notThat(value)}`);
  };
}

/** What is null on purpose, which is not the same as absent. */
export function orNull<T>(rule: Rule<T>): Rule<T | null> {
  return (value, at) => (value === null ? null : rule(value, at));
}

export const flag: Rule<boolean> = (value, at) => {
  if (typeof value === 'boolean') return value;
  throw invalidMember(at, `${at} must be true or false${notThat(value)}`);
};

export function arrayOf<T>(rule: Rule<T>, lengthMax: number): Rule<T[]> {
  return (value, at) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > lengthMax) {
      const not = Array.isArray(value) ? `, not ${value.length}` : notThat(value);
      throw invalidMember(at, `${at} must be an array of 1 to ${lengthMax} elements${not}`);
    }
    return value.map((one, i) => rule(one, `${at}[${i}]`));
  };
}

/** A text that is kept as it is: no NUL and no lone surrogate, which a database would refuse. */
export function text(lengthMax: number): Rule<string> {
  return (value, at) => {
    if (typeof value === 'string' && isText(value) && value.length <= lengthMax) return value;
    throw invalidMember(
      at,
      `${at} must be a text of 1 to ${lengthMax} characters, without NULs and lone surrogates`,
    );
  };
}

function isText(value: string): boolean {
  return value !== '' && value.isWellFormed() && !value.includes('\0');
}

/** By the rule for the names of topics. */
export const nameRule: Rule<string> = (value, at) => {
  if (typeof value !== 'string') throw invalidMember(at, `${at} must be a text${notThat(value)}`);
  const rejection = checkName(at, value);
  if (rejection !== undefined) throw invalidMember(at, rejection.detail);
  return value;
};

/** @param member undefined for the whole body */
export function invalidMember(member: string | undefined, detail: string): SekaliError {
  return new SekaliError('subscription_invalid', detail, member === undefined ? {} : { member });
}

/** What came instead, where it is short enough to be told. */
export function notThat(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length > 60 ? '' : `, not ${json}`;
}
