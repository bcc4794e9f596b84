import type { Fingerprint } from '../event.ts';
import { JsonScanner } from './json-scanner.ts';

/**
 * The fingerprint of a payload's content: what the scanner computed when the event came in.
 *
 * @param payload JSON, as it is stored
 * @throws JsonSyntaxError when it is no JSON, which no stored payload is
 */
export function fingerprintOf(payload: Buffer, seed: Fingerprint): Fingerprint {
  const scanner = new JsonScanner(payload, 0, payload.length, seed.high, seed.low);
  scanner.value(Number.MAX_SAFE_INTEGER);
  return { high: scanner.high, low: scanner.low };
}
