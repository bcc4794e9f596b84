import { parseExact } from '../exact-json.ts';

/** A line that holds a JSON object. `text` is the line itself: what is parsed is only looked into, never sent. */
export interface JsonLine {
  readonly text: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** @returns undefined for any other line, other JSON values included */
export function readJsonLine(text: string): JsonLine | undefined {
  if (!/^[ \t\r]*\{/.test(text)) return undefined;
  try {
    return { text, object: JSON.parse(text) as Record<string, unknown> };
  } catch {
    return undefined;
  }
}

/**
 * The value at a path: the member of that very name (`log.level`), or else that of the nested objects (`log`, then
 * `level`).
 */
export function valueAt(object: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(object, path)) return object[path];
  let value: unknown = object;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** The text or number at a path, as it is spelled. */
export function nameAt(line: JsonLine, path: string): string | undefined {
  const value = valueAt(line.object, path);
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? spellingAt(line, path) : undefined;
}

/** 9007199254740993 and 9007199254740992 are one double, but two ids. */
function spellingAt({ text }: JsonLine, path: string): string {
  return JSON.stringify(valueAt(parseExact(text) as Record<string, unknown>, path));
}
