import type { IncomingHttpHeaders } from 'node:http';
import { SekaliError } from '../errors.ts';
import type { DefinitionCondition } from '../store/definition-condition.ts';

/**
 * One element of a list of entity tags (RFC 9110, section 8.8.3 and 13.1.1), with what may stand before it. Empty elements are passed
 * over, as section 5.6.1.2 has it.
 */
const ELEMENT = /[ \t,]*(W\/)?"([!#-~\x80-\xff]*)"[ \t]*(?=,|$)/y;

/** The entity tag of a definition. A strong one: of two definitions it is never the same. */
export function etagOf(version: string): string {
  return `"${version}"`;
}

/**
 * `If-Match` and `If-None-Match` of a request. The first compares strongly, so that a weak tag in it matches nothing.
 *
 * @throws SekaliError `request_invalid` for what is neither `*` nor entity tags
 */
export function readCondition(headers: IncomingHttpHeaders): DefinitionCondition {
  const match = tagsOf('If-Match', headers['if-match']);
  const noneMatch = tagsOf('If-None-Match', headers['if-none-match']);
  return {
    match: Array.isArray(match) ? match.filter(({ isWeak }) => !isWeak).map(({ tag }) => tag) : match,
    noneMatch: Array.isArray(noneMatch) ? noneMatch.map(({ tag }) => tag) : noneMatch,
  };
}

function tagsOf(
  header: string,
  value: string | undefined,
): { tag: string; isWeak: boolean }[] | '*' | undefined {
  if (value === undefined) return undefined;
  if (value.trim() === '*') return '*';
  const tags: { tag: string; isWeak: boolean }[] = [];
  let end = 0;
  ELEMENT.lastIndex = 0;
  for (let found = ELEMENT.exec(value); found !== null; found = ELEMENT.exec(value)) {
    tags.push({ tag: found[2] ?? '', isWeak: found[1] !== undefined });
    end = ELEMENT.lastIndex;
  }
  if (tags.length > 0 && /^[ \t,]*$/.test(value.slice(end))) return tags;
  throw new SekaliError(
    'request_invalid',
    `${header} must be * or entity tags, as "6b86b2…", not ${value.slice(0, 100)}`,
  );
}
