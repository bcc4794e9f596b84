import { didYouMean } from '../nearest.ts';
import type { FailureKind, FailureOptions } from './failure-options.ts';

const KINDS: readonly string[] = ['refused', 'cut', 'answer_lost', 'stalled'] satisfies FailureKind[];

const MEMBERS = Object.keys({
  how: true,
  times: true,
  of: true,
  status: true,
  retryAfterS: true,
} satisfies Record<keyof FailureOptions, true>);

/** What only an answer can have. */
const OF_REFUSED = ['status', 'retryAfterS'] as const satisfies (keyof FailureOptions)[];

/**
 * Holds a failure that is asked for to the rules of its members; `of` is the router's to know.
 *
 * @throws TypeError that names the member and its rule
 */
export function checkFailure(options: FailureOptions): void {
  checkNames(options);
  const { how = 'refused', times = 1, status = 503, retryAfterS = 0 } = options;
  if (!KINDS.includes(how)) throw invalid('how', `one of ${KINDS.join(', ')}`, how);
  if (!(times >= 1 && (Number.isSafeInteger(times) || times === Number.POSITIVE_INFINITY)))
    throw invalid('times', 'a whole number from 1, or Infinity', times);
  if (!(Number.isInteger(status) && status >= 400 && status <= 599))
    throw invalid('status', 'a whole number from 400 to 599', status);
  if (!(Number.isSafeInteger(retryAfterS) && retryAfterS >= 0))
    throw invalid('retryAfterS', 'a whole number from 0', retryAfterS);
  checkMeaning(how, options);
}

export function invalid(member: string, rule: string, given: unknown): TypeError {
  const shown = typeof given === 'number' ? String(given) : JSON.stringify(given);
  return new TypeError(`failNext: ${member} must be ${rule}, not ${shown}`);
}

/** A member that is misspelled would otherwise be left at its default in silence. */
function checkNames(options: FailureOptions): void {
  const unknown = Object.keys(options).filter((name) => !MEMBERS.includes(name));
  if (unknown.length === 0) return;
  const problems = unknown.map((name) => `failNext: ${name} is no option${didYouMean(name, MEMBERS)}`);
  throw new TypeError(problems.join('\n'));
}

/** A test that asks for a status where nothing is answered would wait for what does not come. */
function checkMeaning(how: FailureKind, options: FailureOptions): void {
  if (how === 'refused') return;
  const idle = OF_REFUSED.find((name) => options[name] !== undefined);
  if (idle !== undefined)
    throw new TypeError(`failNext: ${idle} is of "refused" alone: with "${how}" the client gets no answer`);
}
