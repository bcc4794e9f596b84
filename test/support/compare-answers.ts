import assert from 'node:assert/strict';
import { MEDIA_NDJSON } from '../../src/protocol/wire.ts';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** Members whose value nobody can foretell, and what it has to look like. */
const UNFORETOLD: Readonly<Record<string, (value: unknown) => boolean>> = {
  processed_at: isInstant,
  first_seen_at: isInstant,
  received_at: isInstant,
  first_at: isInstant,
  last_at: isInstant,
  created_at: isInstant,
  died_at: isInstant,
  lease: (value) => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value),
  version: (value) => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value),
  age_seconds: (value) => typeof value === 'number' && value >= 0,
  uptime_seconds: (value) => typeof value === 'number' && value >= 0,
  key_index_bytes: (value) => typeof value === 'number' && value > 0,
};

/**
 * Holds the body of a real answer against the one that a document shows. Only the times may differ, and the white space of
 * JSON: the order of members and the spelling of numbers count, for a reader compares them too.
 */
export function assertSameBody(actual: string, shown: string, media: string): void {
  assert.deepEqual(foretoldBody(actual, media), foretoldBody(shown, media));
}

function foretoldBody(body: string, media: string): string[] {
  if (media === MEDIA_NDJSON) return body.split('\n').map((line) => (line === '' ? '' : foretold(line)));
  return media.endsWith('json') ? foretold(body).split('\n') : body.split('\n');
}

type Reviver = (name: string, value: unknown, context: { source: string }) => unknown;

/** What nobody can foretell is replaced by its name, once it looks as it should; numbers stay as they are spelled. */
const replaceUnforetold: Reviver = (name, value, { source }) => {
  const looksRight = UNFORETOLD[name];
  if (looksRight === undefined || value === null) {
    return typeof value === 'number' ? `<number ${source}>` : value;
  }
  assert.ok(looksRight(value), `${name} is ${JSON.stringify(value)}`);
  return `<${name}>`;
};

function foretold(json: string): string {
  const value: unknown = JSON.parse(json, replaceUnforetold as (name: string, value: unknown) => unknown);
  return JSON.stringify(value, null, 1);
}

function isInstant(value: unknown): boolean {
  return typeof value === 'string' && INSTANT.test(value);
}
