/** What a reviver is told since ECMAScript 2027 ("JSON.parse source text access"); in V8 since Node 21. */
type SourceReviver = (name: string, value: unknown, context: { source?: string }) => unknown;

const parse = JSON.parse as (text: string, reviver: SourceReviver) => unknown;
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

/**
 * JSON.parse for what will be printed again: a number whose text a double does not give back (12345678901234567890,
 * 1.0) becomes an opaque value that JSON.stringify prints as it was sent.
 *
 * @throws SyntaxError when the text is not JSON
 */
export function parseExact(text: string): unknown {
  return parse(text, (_name, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? rawJSON(source) : value,
  );
}
