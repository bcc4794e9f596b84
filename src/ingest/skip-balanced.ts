import { ARRAY_CLOSE, ARRAY_OPEN, BACKSLASH, OBJECT_CLOSE, OBJECT_OPEN, QUOTE } from '../content/ascii.ts';
import type { JsonScanner } from '../content/json-scanner.ts';

/**
 * Moves behind a value that nests too deep to be scanned, by its brackets and strings alone: it is rejected anyway, and
 * the events behind it must not be.
 */
export function skipBalanced(scanner: JsonScanner): void {
  const { bytes, end } = scanner;
  let depth = 0;
  for (let at = scanner.at; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      for (at++; at < end && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
    } else if (byte === OBJECT_OPEN || byte === ARRAY_OPEN) depth++;
    else if (byte === OBJECT_CLOSE || byte === ARRAY_CLOSE) {
      depth--;
      if (depth === 0) {
        scanner.at = at + 1;
        return;
      }
    }
  }
  scanner.at = end;
  throw scanner.error('the end of a nested value');
}
