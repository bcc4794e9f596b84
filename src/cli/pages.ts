import type { QueryParameters, Sekali } from '../client/sekali.ts';
import { PAGE_LIMIT_MAX } from '../protocol/wire.ts';
import { answerText } from './answer.ts';
import { parseExact } from './exact-json.ts';

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

async function readPage<Item>(
  client: Sekali,
  { name, path }: Required<Pick<PagedList, 'name' | 'path'>>,
  query: QueryParameters,
): Promise<Page<Item>> {
  const response = await client.request(`${path}?${printQuery(query)}`);
  const answer = parseExact(await answerText(response)) as { next: Page<Item>['next'] } & Record<
    typeof name,
    Item[]
  >;
  return { items: answer[name], next: answer.next };
}

function printQuery(query: QueryParameters): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
}
