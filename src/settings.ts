import { didYouMean } from './nearest.ts';

/**
 * A setting is declared once and can be given in three places: a flag (`--body-bytes-max`), an environment variable
 * (`SEKALI_BODY_BYTES_MAX`) and a member of the configuration file (`body_bytes_max`); the first of them wins.
 */
export interface Setting<T> {
  readonly meaning: string;
  readonly fallback: T;
  /** What a value looks like, for the help text. */
  readonly form: string;
  readonly kind: Kind<T>;
  /** Further environment variables that are read after `SEKALI_…`. */
  readonly olderEnv?: readonly string[];
  /** Never shown. */
  readonly secret?: boolean;
  /** Flag only: it makes no sense in the environment or a file. */
  readonly flagOnly?: boolean;
}

/** Reads a value from its text, or says the rule it breaks. */
export interface Kind<T> {
  /** A flag of this kind takes no value. */
  readonly isSwitch: boolean;
  /** A flag of this kind may be given more than once: what is given is separated by commas. */
  readonly isList?: boolean;
  read(text: string): Reading<T>;
  /** Of a kind that may also be an object in the configuration file. */
  readonly readMembers?: (members: Members) => Reading<T>;
}

/** `problems` are for a value of many parts: each names the part and its rule, so that all are told at once. */
export type Reading<T> = { value: T } | { rule: string; problems?: readonly string[] };

type Members = Readonly<Record<string, unknown>>;

export type Settings = Readonly<Record<string, Setting<unknown>>>;
export type Values<S extends Settings> = { [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never };

/** One thing that is wrong; a message for people that names the place and the rule. */
export type SettingProblem = string;

export interface SettingSources {
  /** As given on the command line, by flag name without dashes; true for a switch. */
  readonly flags: ReadonlyMap<string, string | true>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The configuration file, parsed; its name is for messages. */
  readonly file?: { readonly name: string; readonly members: Members } | undefined;
}

/** Reads all settings; every problem is found, not only the first. Unknown flags and members are problems. */
export function readSettings<S extends Settings>(
  settings: S,
  sources: SettingSources,
): { values: Values<S>; problems: SettingProblem[]; given: Set<string> } {
  const problems: SettingProblem[] = [];
  const values: Record<string, unknown> = {};
  const given = new Set<string>();
  const names = Object.keys(settings);

  const flagNames = names.map(flagOf);
  for (const flag of sources.flags.keys()) {
    if (!flagNames.includes(flag)) problems.push(`--${flag} is no flag${didYouMean(flag, flagNames)}`);
  }
  const memberNames = names.filter((name) => !settings[name]?.flagOnly).map(memberOf);
  const objectNames = new Set(names.filter((name) => settings[name]?.kind.readMembers).map(memberOf));
  for (const [member, value] of Object.entries(sources.file?.members ?? {})) {
    if (!memberNames.includes(member)) {
      problems.push(`${sources.file?.name}: ${member} is no setting${didYouMean(member, memberNames)}`);
    } else if (isObject(value) && !objectNames.has(member)) {
      problems.push(
        `${sources.file?.name}: ${member} must be a text, a number, true, false or a list of texts`,
      );
    }
  }

  for (const [name, setting] of Object.entries(settings)) {
    const source = find(name, setting, sources);
    values[name] = setting.fallback;
    if (source === undefined) continue;
    given.add(name);
    const result = readFrom(setting.kind, source.given);
    if ('value' in result) values[name] = result.value;
    else if (result.problems) problems.push(...result.problems.map((one) => `${source.place}: ${one}`));
    else {
      const shown = setting.secret ? '' : `, not ${JSON.stringify(source.given)}`;
      problems.push(`${source.place} must be ${result.rule}${shown}`);
    }
  }
  return { values: values as Values<S>, problems, given };
}

function find(
  name: string,
  setting: Setting<unknown>,
  sources: SettingSources,
): { given: string | Members; place: string } | undefined {
  const flag = sources.flags.get(flagOf(name));
  if (flag !== undefined) return { given: flag === true ? 'true' : flag, place: `--${flagOf(name)}` };
  if (setting.flagOnly) return undefined;
  for (const variable of envOf(name, setting)) {
    const text = sources.env[variable];
    if (text !== undefined && text !== '') return { given: text, place: variable };
  }
  const member = sources.file?.members[memberOf(name)];
  const given = isObject(member) && setting.kind.readMembers ? member : textOfMember(member);
  return given === undefined ? undefined : { given, place: `${sources.file?.name}: ${memberOf(name)}` };
}

function readFrom<T>(kind: Kind<T>, given: string | Members): Reading<T> {
  if (typeof given === 'string') return kind.read(given);
  return kind.readMembers?.(given) ?? { rule: 'a text' };
}

/** A member of the file as the text that a flag would have; null stands for not given, as an absent member does. */
function textOfMember(member: unknown): string | undefined {
  if (member === undefined || member === null || isObject(member)) return undefined;
  if (Array.isArray(member)) return member.map(String).join(',');
  return typeof member === 'string' ? member : JSON.stringify(member);
}

function isObject(member: unknown): member is Members {
  return typeof member === 'object' && member !== null && !Array.isArray(member);
}

/** `bodyBytesMax` → `body-bytes-max` */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `bodyBytesMax` → `body_bytes_max` */
export function memberOf(name: string): string {
  return flagOf(name).replaceAll('-', '_');
}

/** `bodyBytesMax` → `SEKALI_BODY_BYTES_MAX`, then the older names. */
export function envOf(name: string, setting: Setting<unknown>): string[] {
  return [`SEKALI_${memberOf(name).toUpperCase()}`, ...(setting.olderEnv ?? [])];
}

export const text: Kind<string> = { isSwitch: false, read: (given) => ({ value: given }) };

export const optionalText: Kind<string | undefined> = { ...text };

export const toggle: Kind<boolean> = {
  isSwitch: true,
  read(given) {
    const folded = given.toLowerCase();
    if (['1', 'true', 'yes', 'on'].includes(folded)) return { value: true };
    if (['0', 'false', 'no', 'off'].includes(folded)) return { value: false };
    return { rule: '1 or 0, true or false' };
  },
};

export function integer(min: number, max: number): Kind<number> {
  return {
    isSwitch: false,
    read(given) {
      const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
      return value >= min && value <= max ? { value } : { rule: `an integer from ${min} to ${max}` };
    },
  };
}

export function decimal(min: number, max: number): Kind<number> {
  return {
    isSwitch: false,
    read(given) {
      const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN;
      return value >= min && value <= max ? { value } : { rule: `a number from ${min} to ${max}` };
    },
  };
}

const UNITS: Record<string, number> = { '': 1, b: 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 };

/** A number of bytes, plain or with KiB, MiB, GiB. */
export function bytes(min: number, max: number): Kind<number> {
  return {
    isSwitch: false,
    read(given) {
      const match = /^(\d+) ?([kmg]ib|b|)$/i.exec(given);
      const value = match ? Number(match[1]) * (UNITS[match[2]?.toLowerCase() ?? ''] ?? 1) : Number.NaN;
      return value >= min && value <= max
        ? { value }
        : { rule: `bytes from ${min} to ${max}, as 16777216 or 16MiB` };
    },
  };
}

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
/** A hundred years: whoever means longer means for ever. */
const DURATION_DAYS_MAX = 36_500;

/** Seconds, from a whole number with a unit. */
export const duration: Kind<number> = {
  isSwitch: false,
  read(given) {
    const match = /^(\d+)([smhdw])$/.exec(given);
    const value = match ? Number(match[1]) * (SECONDS[match[2] ?? ''] ?? Number.NaN) : Number.NaN;
    return value >= 1 && value <= DURATION_DAYS_MAX * 86_400
      ? { value }
      : { rule: `a duration from 1s to ${DURATION_DAYS_MAX}d, as 30s, 15m, 12h, 7d or 52w` };
  },
};

export function choice<const T extends string>(...choices: T[]): Kind<T> {
  return {
    isSwitch: false,
    read: (given) =>
      (choices as string[]).includes(given)
        ? { value: given as T }
        : { rule: `one of ${choices.join(', ')}` },
  };
}

export function list(of: string, isValid: (item: string) => boolean): Kind<readonly string[]> {
  return {
    isSwitch: false,
    isList: true,
    read(given) {
      const items = given
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
      return items.every(isValid) ? { value: items } : { rule: `${of}, separated by commas` };
    },
  };
}
