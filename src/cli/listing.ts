import type { Sekali } from '../client/sekali.ts';
import { integer, type Settings, toggle } from '../settings.ts';
import { printable } from './display-text.ts';
import { print } from './output.ts';
import { type Page, type PagedList, pagesOf } from './pages.ts';
import { type Column, layOut } from './table.ts';
import { bold, dim, isInteractive, widthOf } from './terminal.ts';

/** Items that a terminal is shown when no limit is given: a person asked, and can ask for more. */
const TERMINAL_LIMIT = 100;

/** Settings of every command that prints items for people or for programs. */
export const OUTPUT_SETTINGS = {
  json: {
    kind: toggle,
    fallback: false,
    form: '',
    meaning: 'Print lines of JSON on a terminal too, as in a pipe.',
    flagOnly: true,
  },
} as const satisfies Settings;

export const LIMIT_SETTINGS = {
  limit: {
    kind: integer(1, Number.MAX_SAFE_INTEGER),
    fallback: undefined as number | undefined,
    form: 'N',
    meaning: `How many to show at most. Without it, ${TERMINAL_LIMIT} on a terminal and all of them in a pipe.`,
    flagOnly: true,
  },
} as const satisfies Settings;

export interface Listing<Item> extends Omit<PagedList, 'limit'> {
  readonly limit: number | undefined;
  readonly columns: readonly Column<Item>[];
}

/** Whether what is printed is for a program: NDJSON, all of it. */
export function isForProgram({ json }: { json: boolean }): boolean {
  return json || !isInteractive(process.stdout);
}

/** Prints every item as a line of JSON. */
export async function printLines<Item>(client: Sekali, { limit, ...list }: Listing<Item>): Promise<void> {
  const pages = pagesOf<Item>(client, { ...list, limit: limit ?? Number.POSITIVE_INFINITY });
  await print(eachPage(pages, ({ items }) => items.map((item) => `${JSON.stringify(item)}\n`).join('')));
}

/** Prints a table, and how to get more when that is not all. */
export async function printTable<Item>(
  client: Sekali,
  { limit, columns, ...list }: Listing<Item>,
): Promise<void> {
  const pages = pagesOf<Item>(client, { ...list, limit: limit ?? TERMINAL_LIMIT });
  let next: Page<Item>['next'] = null;
  let isEmpty = true;
  await print(
    eachPage(pages, (page) => {
      next = page.next;
      if (page.items.length === 0) {
        // A page that found nothing as far as it looked is not the end.
        return isEmpty && next === null ? dim(`no ${list.name.replace('_', ' ')}\n`) : '';
      }
      isEmpty = false;
      const [titles = '', ...rows] = layOut(columns, page.items, widthOf(process.stdout));
      return `${[bold(titles), ...rows].join('\n')}\n`;
    }),
  );
  if (next !== null) await print([dim(`\nfor more: --${list.cursor} ${shellWord(String(next))}\n`)]);
}

async function* eachPage<Item>(
  pages: AsyncIterable<Page<Item>>,
  show: (page: Page<Item>) => string,
): AsyncGenerator<string> {
  for await (const page of pages) yield show(page);
}

/** A text as a shell takes it for one word. */
export function shellWord(text: string): string {
  return /^[\w.,:@/+-]+$/.test(text) ? text : `'${printable(text).replaceAll("'", "'\\''")}'`;
}
