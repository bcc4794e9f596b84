/**
 * When a line says it was written. The formats of the common log writers are looked for where a line begins; the first
 * one found counts. A time without a zone is UTC, as everywhere in Sekali; zone names other than UTC, GMT and Z are not
 * known (CST alone is three zones).
 *
 * The timestamp is no part of what an event is (its id and payload are), so a wrong guess costs nothing but the time.
 */
import { formatInstant, type Instant, instant, parseInstant } from '../../instant.ts';

/** Characters of a line in which its timestamp must begin. Long enough for a column or two before it. */
const HEAD = 160;

const DAY_MICROS = 86_400_000_000;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(?<month>${MONTHS.join('|')})`;
const CLOCK = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)(?:[.,](?<fraction>\\d{1,9}))?';
const ZONE = '(?<zone> ?(?:Z|UTC|GMT)\\b| ?[+-]\\d\\d:?\\d\\d(?!\\d)|[+-]\\d\\d(?!\\d))?';

/** In the order that decides between two that begin at the same character. */
const FORMATS: readonly RegExp[] = [
  // ISO 8601 and its kin: 2026-01-31T12:00:00.123+01:00, 2026-01-31 12:00:00,123 (log4j), 2026/01/31 12:00:00 (nginx, Go)
  /(?<!\d)(?<year>\d{4})[-/](?<month>\d\d)[-/](?<day>\d\d)(?:[Tt]| {1,2}|, )(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,](?<fraction>\d{1,9}))?)?/
    .source + ZONE,
  // asctime: Sun Dec 04 04:47:44 2005 (Apache's error log, with microseconds since 2.4; date(1) puts a zone before the year)
  `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} {1,2}(?<day>\\d{1,2}) ${CLOCK} (?:[A-Z]{3,4} )?(?<year>\\d{4})(?!\\d)`,
  // syslog, RFC 3164: Jun 14 15:16:01; with a year too: Jan 31, 2026 1:05:09 PM (java.util.logging)
  `(?<![A-Za-z])${MONTH} {1,2}(?<day>\\d{1,2}),? (?:(?<year>\\d{4}),? )?${CLOCK.replace('\\d\\d', '\\d{1,2}')}(?: (?<half>[AP])M)?`,
  // 10/Oct/2000:13:55:36 -0700 (access logs), 31 Jan 2026 12:00:00.123 (Redis, e-mail), 31-Jan-2026 12:00:00 (Tomcat)
  `(?<!\\d)(?<day>\\d{1,2})[ /-]${MONTH}[ /-](?<year>\\d{4})[ :]${CLOCK}${ZONE}`,
  // At the very start only, for these are mere digits: 081109 203615 (Hadoop), 20260131T120000Z
  `^(?<year>\\d{4}|\\d\\d)(?<month>\\d\\d)(?<day>\\d\\d)[ T] ?(?<hour>\\d\\d):?(?<minute>\\d\\d):?(?<second>\\d\\d)(?:[.,](?<fraction>\\d{1,9}))?${ZONE}(?!\\d)`,
  // I0131 12:00:00.123456 (glog, klog)
  `^[IWEF](?<month>\\d\\d)(?<day>\\d\\d) {1,2}${CLOCK}`,
  // Seconds, milliseconds, microseconds or nanoseconds since 1970; [1700000000]; type=CWD msg=audit(1700000000.123:42)
  '^(?:\\[|type=\\w+ msg=audit\\()?(?<epoch>\\d{10}(?:\\.\\d{1,9})?|\\d{13}|\\d{16}|\\d{19})(?!\\w)',
].map((source) => new RegExp(source));

/**
 * @param reference when the file was written last: a time without a year is the latest that is not a day after it
 * @returns undefined when no known format is found, or what is found names no time
 */
export function timestampOfLine(line: string, reference: Instant): Instant | undefined {
  let first: RegExpExecArray | undefined;
  // A match may end behind the head, by at most the length of a date.
  const head = line.slice(0, HEAD + 40);
  for (const format of FORMATS) {
    const match = format.exec(head);
    if (match && match.index < (first?.index ?? HEAD)) first = match;
    if (match?.index === 0) break;
  }
  return first?.groups && instantOfParts(first.groups, reference);
}

/** The value of a JSON line's time member: a text in one of the formats, or a number since 1970 in any usual unit. */
export function timestampOfValue(value: unknown, reference: Instant): Instant | undefined {
  if (typeof value === 'number') return instantOfEpoch(value);
  if (typeof value !== 'string') return undefined;
  return parseInstant(value) ?? timestampOfLine(value, reference);
}

type Parts = Readonly<Record<string, string | undefined>>;

function instantOfParts(parts: Parts, reference: Instant): Instant | undefined {
  const { epoch, year } = parts;
  if (epoch !== undefined) {
    const found = epoch.length === 19 ? instantOfNanos(epoch) : instantOfEpoch(Number(epoch));
    // Ten digits may be anything; a time after the last write of the file they are not.
    return found !== undefined && isPlausible(found, reference) ? found : undefined;
  }
  if (year !== undefined) return instantIn(year.length === 2 ? fullYear(year) : year, parts);
  // Nine years back there was a leap year for certain, even around 2100.
  const lastYear = Number(formatInstant(reference).slice(0, 4)) + 1;
  for (let candidate = lastYear; candidate >= lastYear - 9; candidate--) {
    const found = instantIn(String(candidate), parts);
    if (found !== undefined && isPlausible(found, reference)) return found;
  }
  return undefined;
}

/** A day ahead is allowed: a clock in another zone, that is taken for UTC here, may be. */
function isPlausible(found: Instant, reference: Instant): boolean {
  return BigInt(found) <= BigInt(reference) + BigInt(DAY_MICROS);
}

/** POSIX, strptime, %y: 69 to 99 are 1969 to 1999. */
function fullYear(twoDigits: string): string {
  return twoDigits < '69' ? `20${twoDigits}` : `19${twoDigits}`;
}

function instantIn(year: string, parts: Parts): Instant | undefined {
  const { month = '', day = '', hour = '', minute = '', second = '00', fraction = '0', half } = parts;
  const monthNumber = MONTHS.includes(month) ? MONTHS.indexOf(month) + 1 : Number(month);
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half === 'P' ? 12 : 0);
  const zone = parts['zone']?.trim() ?? '';
  return parseInstant(
    `${year.padStart(4, '0')}-${two(monthNumber)}-${two(day)}T${two(hours)}:${minute}:${second}.${fraction}${/[A-Z]/.test(zone) ? 'Z' : zone}`,
  );
}

function two(number: number | string): string {
  return String(number).padStart(2, '0');
}

/** The unit is known by the size: up to the year 5138 in seconds, after 1973 in the others. */
function instantOfEpoch(value: number): Instant | undefined {
  if (!(value >= 0 && value < 1e20)) return undefined;
  const perSecond = value < 1e11 ? 1 : value < 1e14 ? 1e3 : value < 1e17 ? 1e6 : 1e9;
  const micros = Math.round((value / perSecond) * 1e6);
  return instant(Math.floor(micros / 1e6), micros % 1e6);
}

/** Beyond what a double holds. */
function instantOfNanos(digits: string): Instant {
  return instant(Number(digits.slice(0, 10)), Number(digits.slice(10, 16)));
}
