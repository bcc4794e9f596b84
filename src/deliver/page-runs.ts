import type { PrintedPage } from '../store/store-reader.ts';
import type { TopicFilter } from '../topic-filter.ts';
import type { PageFrom } from './live-tail.ts';

/** Events of a page that follow one another: from `first` to `end`, not included. */
export interface PageRun {
  readonly first: number;
  readonly end: number;
}

export function allOf({ positions }: PrintedPage): PageRun[] {
  return positions.length === 0 ? [] : [{ first: 0, end: positions.length }];
}

/** Which of the events of a page are of a filter's topics, and of a source. */
export function wantedOf(
  { page, first }: PageFrom,
  filter: TopicFilter,
  source: string | undefined,
): PageRun[] {
  const end = page.positions.length;
  const ofTopics = page.topics.map((topic) => filter.matches(topic));
  if (source === undefined && ofTopics.every(Boolean)) return [{ first, end }];
  const isOfSource = source === undefined ? () => true : sourceTest(page, source);
  const runs: PageRun[] = [];
  let start: number | undefined;
  for (let n = first; n <= end; n++) {
    const isWanted = n < end && ofTopics[page.topicOf[n]!]! && isOfSource(n);
    if (isWanted) start ??= n;
    else if (start !== undefined) {
      runs.push({ first: start, end: n });
      start = undefined;
    }
  }
  return runs;
}

/** Sources are compared as the JSON that is printed: one text is always printed as the same bytes. */
function sourceTest({ text, sources }: PrintedPage, source: string): (n: number) => boolean {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.length);
  const wanted = Buffer.from(JSON.stringify(source));
  return (n) => bytes.compare(wanted, 0, wanted.length, sources[2 * n], sources[2 * n + 1]) === 0;
}
