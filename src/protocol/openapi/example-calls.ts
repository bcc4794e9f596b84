import { MEDIA_JSON } from '../wire.ts';
import type { Operation, Parameter } from './document.ts';
import type { Method } from './operations.ts';

/** A request that an operation's examples make, and the example of its answer. */
export interface ExampleCall {
  readonly title: string;
  readonly method: Method;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Of the answer. */
  readonly status: string;
  /** Undefined where the description shows no answer. */
  readonly answer: { readonly media: string; readonly value: unknown } | undefined;
}

/** A call for each example of a request's body; without a body, one for each example of an answer. */
export function exampleCalls(
  path: string,
  method: ExampleCall['method'],
  operation: Operation,
): readonly ExampleCall[] {
  const target = exampleTarget(path, operation.parameters ?? []);
  const successes = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
  const usual = successes[0]?.[0] ?? '';
  const answers = successes.flatMap(([status, { content = {} }]) =>
    Object.entries(content).flatMap(([media, { examples = {} }]) =>
      Object.entries(examples).map(([name, { value }]) => ({ status, name, media, value })),
    ),
  );
  if (operation.requestBody) {
    return Object.entries(operation.requestBody.content).flatMap(([media, { examples = {} }]) =>
      Object.entries(examples).map(([name, { summary = name, value }]) => {
        const answer = answers.find((one) => one.name === name);
        return {
          title: summary,
          method,
          target,
          headers: { 'Content-Type': media },
          body: typeof value === 'string' ? value : JSON.stringify(value),
          status: answer?.status ?? usual,
          answer,
        };
      }),
    );
  }
  const shown = answers.length === 0 ? [undefined] : answers;
  return shown.map((answer, index) => ({
    title: answer === undefined || answers.length === 1 ? 'Example' : `As ${answer.media}`,
    method,
    target,
    // The first is what is answered without asking for it.
    headers: answer && index > 0 ? { Accept: answer.media } : {},
    body: undefined,
    status: answer?.status ?? usual,
    answer,
  }));
}

/** As it is shown: JSON over several lines, anything else as it is. */
export function printExample({ media, value }: NonNullable<ExampleCall['answer']>): string {
  return media === MEDIA_JSON ? JSON.stringify(value, null, 2) : String(value);
}

function exampleTarget(path: string, parameters: readonly Parameter[]): string {
  const given = parameters.filter((parameter) => parameter.example !== undefined);
  const filled = given
    .filter((parameter) => parameter.in === 'path')
    .reduce(
      (text, { name, example }) => text.replace(`{${name}}`, encodeURIComponent(String(example))),
      path,
    );
  const query = new URLSearchParams(
    given
      .filter((parameter) => parameter.in === 'query')
      .map(({ name, example }): [string, string] => [name, String(example)]),
  ).toString();
  return query === '' ? filled : `${filled}?${query}`;
}
