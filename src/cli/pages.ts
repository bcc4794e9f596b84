import { setTimeout as pause } from 'node:timers/promises';
import type { QueryParameters, Sekali } from '../client/sekali.ts';
import { SekaliError } from '../errors.ts';
import { PAGE_LIMIT_MAX } from '../protocol/wire.ts';
import { answerText } from './answer.ts';
import { parseExact } from './exact-json.ts';

/** Requests for one page, one after another, that have got no further than those before. */
const IN_VAIN_MAX = 20;

/** Before a page that was not all is asked for again. */
const AGAIN_AFTER_MS = 50;

/** A list that the server answers page by page. */
export interface PagedList {
  /** The member of the answer that holds the items; its address, too, unless a path is given. */
  readonly name: 'conflicts' | 'dead_letters' | 'events' | 'publishers' | 'subscriptions' | 'topics';
  readonly path?: string;
  readonly query: QueryParameters;
  /** The parameter that takes the `next` of an answer. */
  readonly cursor: 'after' | 'before';
  /** Items in all pages together, at most. */
  readonly limit: number;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page starts; null after the last one. */
  readonly next: number | string | null;
}

/**
 * Asks for page after page. What the items hold is as it was sent, numbers that no double holds included.
 *
 * @throws RequestError when the server refuses, is not there, or goes away half way
 * @throws SekaliError `overloaded` when a page that is not all gets no further
 */
export async function* pagesOf<Item>(
  client: Sekali,
  { name, path = `/${name}`, query, cursor, limit }: PagedList,
): AsyncGenerator<Page<Item>> {
  let ask = query;
  let left = limit;
  while (left > 0) {
    const page = await readPage<Item>(
      client,
      { name, path },
      { ...ask, limit: Math.min(left, PAGE_LIMIT_MAX) },
    );
    yield page;
    if (page.next === null) return;
    left -= page.items.length;
    ask = { ...ask, [cursor]: page.next, offset: undefined };
  }
}

/**
 * A page that tells of all there is. A server that works out what it answers may not be done in the time of one request, and gets
 * further with the next. Of several servers each has its own way to go: what counts is how far the furthest has got.
 *
 * @throws SekaliError `overloaded` when it gets no further
 */
async function readPage<Item>(
  client: Sekali,
  list: Required<Pick<PagedList, 'name' | 'path'>>,
  query: QueryParameters,
): Promise<Page<Item>> {
  let furthest = -1;
  for (let inVain = 0; inVain < IN_VAIN_MAX; inVain++) {
    const { items, next, through, complete } = await readOnce<Item>(client, list, query);
    if (complete !== false) return { items, next };
    if (through !== undefined && through > furthest) {
      furthest = through;
      inVain = -1;
    }
    await pause(AGAIN_AFTER_MS);
  }
  throw new SekaliError(
    'overloaded',
    `${IN_VAIN_MAX} times the answer was only a part of the ${list.name}, and got no further than position ${furthest}: try again later`,
  );
}

/** As it was answered, whether or not it is all. */
interface Answered<Item> extends Page<Item> {
  readonly through: number | undefined;
  readonly complete: boolean | undefined;
}

async function readOnce<Item>(
  client: Sekali,
  { name, path }: Required<Pick<PagedList, 'name' | 'path'>>,
  query: QueryParameters,
): Promise<Answered<Item>> {
  const response = await client.request(`${path}?${printQuery(query)}`);
  const answer = parseExact(await answerText(response)) as Omit<Answered<Item>, 'items'> &
    Record<typeof name, Item[]>;
  const { next, through, complete } = answer;
  return { items: answer[name], next, through, complete };
}

function printQuery(query: QueryParameters): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
}
