/** The reference says what the source says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { printDefault, withTables } from '../../scripts/reference-tables.ts';
import { EARLIER_GAPS_KEPT, GAPS_KEPT, RESTARTS_KEPT } from '../../src/deliver/gaps/course.ts';
import { GAPS_LISTED_MAX } from '../../src/deliver/gaps/gap-tracker.ts';
import { DOUBTFUL_EVENTS_MAX } from '../../src/deliver/gaps/publisher-sequence.ts';
import { REORDER_MAX } from '../../src/deliver/gaps/run.ts';
import { catalogue } from '../../src/errors.ts';
import { NAME_LENGTH_MAX, TIMESTAMP_LENGTH_MAX } from '../../src/event.ts';
import { CONFLICTS_SHOWN } from '../../src/http/routes/events.ts';
import { TOPICS_SHOWN } from '../../src/http/routes/stats.ts';
import { ANSWERED_CODES, ENTRY_CODES, START_CODES } from '../../src/protocol/openapi/problem.ts';
import { REJECTIONS } from '../../src/protocol/openapi/publish.ts';
import {
  FETCH_DEFAULT,
  FETCH_MAX,
  FETCH_WAIT_MS_MAX,
  LEASE_REFUSALS,
  POSITIONS_MAX,
  REASON_LENGTH_MAX,
  SUBSCRIPTION_BOUNDS,
} from '../../src/protocol/subscriptions-wire.ts';
import {
  CONTENT_ENCODINGS,
  OFFSET_MAX,
  PAGE_LIMIT_DEFAULT,
  PAGE_LIMIT_MAX,
  PUBLISH_MEDIA,
  SMALL_BODY_BYTES_MAX,
} from '../../src/protocol/wire.ts';
import { SERVER_SETTINGS } from '../../src/server-settings.ts';
import { flagOf, type Setting } from '../../src/settings.ts';
import { CONFLICT_PAYLOAD_BYTES_MAX, CONFLICTS_KEPT, PAGE_LENGTH_MAX } from '../../src/store/store-reader.ts';

const errors = readFileSync('docs/reference/errors.md', 'utf8');
const configuration = readFileSync('docs/reference/configuration.md', 'utf8');
const protocol = readFileSync('PROTOCOL.md', 'utf8');

/** The rows of the table under a heading, without its titles: the texts of their cells. */
function rowsUnder(markdown: string, heading: string): string[][] {
  const [, section = ''] = markdown.split(`\n## ${heading}\n`);
  const table = /(?:^\|.*\|$\n)+/m.exec(section.split('\n## ')[0] ?? '')?.[0] ?? '';
  const rows = table
    .trimEnd()
    .split('\n')
    .map((row) =>
      row
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  return rows.slice(2);
}

function code(text: string): string {
  return `\`${text}\``;
}

describe('docs/reference/errors.md', () => {
  it('has every code of a request, with its status, title and whether to try again', () => {
    assert.deepEqual(
      rowsUnder(errors, 'Of a request').map((row) => row.slice(0, 4)),
      ANSWERED_CODES.map((one) => {
        const { status, title, retryable } = catalogue[one];
        return [code(one), String(status), title, retryable ? 'yes' : ''];
      }),
    );
  });

  it('has every code of an event, with its meaning', () => {
    assert.deepEqual(
      rowsUnder(errors, 'Of one event in a request').map((row) => row.slice(0, 2)),
      Object.entries(REJECTIONS).map(([one, meaning]) => [code(one), meaning]),
    );
  });

  for (const [heading, codes] of [
    ['At the start', START_CODES],
    ['Of a queue entry', ENTRY_CODES],
  ] as const) {
    it(`has every code under "${heading}", with its title`, () => {
      assert.deepEqual(
        rowsUnder(errors, heading).map((row) => row.slice(0, 2)),
        codes.map((one) => [code(one), catalogue[one].title]),
      );
    });
  }

  it('has every code of a lease, with its meaning', () => {
    assert.deepEqual(
      rowsUnder(errors, 'Of one lease').map((row) => row.slice(0, 2)),
      Object.entries(LEASE_REFUSALS).map(([one, meaning]) => [code(one), meaning]),
    );
  });

  it('says of each what to do', () => {
    const headings = [
      'Of a request',
      'Of one event in a request',
      'Of one lease',
      'At the start',
      'Of a queue entry',
    ];
    const rows = headings.flatMap((heading) => rowsUnder(errors, heading));
    for (const row of rows) assert.match(row.at(-1) ?? '', /^\S.*\.$/, row[0]);
  });

  it('names settings that there are', () => {
    const flags = new Set(Object.keys(SERVER_SETTINGS).map(flagOf));
    for (const [, flag = ''] of errors.matchAll(/`--([a-z-]+)`/g)) assert.ok(flags.has(flag), flag);
  });
});

describe('docs/reference/configuration.md', () => {
  it('has the settings as they are declared (`node scripts/write-reference.ts` writes them)', () => {
    assert.equal(configuration, withTables(configuration));
  });

  it('has each of its tables', () => {
    for (const name of ['server', 'connection', 'older']) {
      assert.match(configuration, new RegExp(`<!-- table: ${name} -->\\n\\n\\| `));
    }
  });
});

describe('PROTOCOL.md', () => {
  it('lists the codes of each status', () => {
    const byStatus = Map.groupBy(ANSWERED_CODES, (one) => catalogue[one].status);
    assert.deepEqual(
      rowsUnder(protocol, 'Errors'),
      [...byStatus].map(([status, codes]) => [String(status), codes.map(code).join(', ')]),
    );
  });

  it('gives the limits with their settings and defaults', () => {
    const rows = rowsUnder(protocol, 'Limits');
    assert.equal(rows.length, 11);
    for (const [what, shown = '', flag = ''] of rows) {
      const found = Object.entries<Setting<unknown>>(SERVER_SETTINGS).find(
        ([name]) => flag === code(`--${flagOf(name)}`),
      );
      assert.ok(found, flag);
      assert.equal(code(shown.replace(/ ms$/, '')), printDefault(found[1]), what);
    }
  });

  const facts: Record<string, [number | string, RegExp]> = {
    'the length of a name': [NAME_LENGTH_MAX, /a string of 1 to (\d+) characters/],
    'the length of a timestamp': [TIMESTAMP_LENGTH_MAX, /at most (\d+) characters; digits/],
    'the size of a page': [PAGE_LIMIT_MAX, /`limit` \| 1 to (\d+); 100 when absent/],
    'the usual size of a page': [PAGE_LIMIT_DEFAULT, /`limit` \| 1 to 1000; (\d+) when absent/],
    'the offset': [OFFSET_MAX, /`offset` \| 0 to (\d+)/],
    'the length of a page': [PAGE_LENGTH_MAX, /its payloads have (\d+) characters/],
    'the topics in /stats': [TOPICS_SHOWN, /`topics` are the first (\d+) by name/],
    'the conflicts of one event': [CONFLICTS_SHOWN, /newest\nfirst, at most (\d+)\./],
    'the conflicts that are kept': [CONFLICTS_KEPT, /The newest ([\d,]+) are kept/],
    "the size of a conflict's payload": [CONFLICT_PAYLOAD_BYTES_MAX, /payload of more than ([\d,]+) bytes/],
    'the gaps that are listed': [GAPS_LISTED_MAX, /`gaps` has the newest ([\d,]+) of/],
    'the gaps that are kept': [GAPS_KEPT, /The highest ([\d,]+) gaps of the run/],
    'the gaps of earlier runs that are kept': [EARLIER_GAPS_KEPT, /newest ([\d,]+) of earlier runs are kept/],
    'the restarts that are listed': [RESTARTS_KEPT, /`restarts` the newest (\d+) of/],
    'the events that end the doubt about a restart': [
      DOUBTFUL_EVENTS_MAX,
      /stays in doubt for ([\d,]+) events/,
    ],
    'the reach of an event out of order': [REORDER_MAX, /at most (\d+) below its highest/],
    'the size of an event': [
      printDefault(SERVER_SETTINGS.eventBytesMax).replaceAll('`', ''),
      /JSON text has at most (\d+ \w+) and nests/,
    ],
    'the patterns of a subscription': [SUBSCRIPTION_BOUNDS.patternsMax, /1 to (\d+) patterns/],
    'the positions of one request': [POSITIONS_MAX, /Each names 1 to (\d+) positions/],
    'the events of one fetch': [FETCH_MAX, /`max` is 1 to (\d+), and 100 when absent/],
    'the usual events of one fetch': [FETCH_DEFAULT, /`max` is 1 to 1000, and (\d+) when absent/],
    'the time to wait for events': [FETCH_WAIT_MS_MAX, /`wait_ms`, 0 to (\d+) and 0 when absent/],
    'the length of a reason': [REASON_LENGTH_MAX, /`reason`, of 1 to (\d+) characters/],
    'the size of a small body': [SMALL_BODY_BYTES_MAX / 1024 ** 2, /objects of at most (\d+) MiB/],
    'the depth of an event': [SERVER_SETTINGS.depthMax.fallback, /nests at most (\d+) levels deep/],
  };
  for (const [what, [value, pattern]] of Object.entries(facts)) {
    it(`has ${what} right`, () => {
      assert.equal(pattern.exec(protocol)?.[1]?.replaceAll(',', ''), String(value));
    });
  }

  it('gives the bounds of a subscription, and its defaults', () => {
    const rows = rowsUnder(protocol, 'Subscriptions');
    const { ackWaitMs, maxAttempts, maxInFlight, backoffMs } = SUBSCRIPTION_BOUNDS;
    for (const [name, { min, max, fallback }] of Object.entries({
      ack_wait_ms: ackWaitMs,
      max_attempts: maxAttempts,
      max_in_flight: maxInFlight,
    })) {
      const row = rows.find(([member]) => member === code(name));
      assert.deepEqual(row?.slice(1, 3), [`${min} to ${max}`, String(fallback)], name);
    }
    const { min, max, firstFallback, maxFallback } = backoffMs;
    const backoff = rows.find(([member]) => member === code('backoff'))?.slice(1, 3);
    assert.deepEqual(backoff, [
      `${code('{"first_ms", "max_ms"}')}, each ${min} to ${max}`,
      `${firstFallback}, ${maxFallback}`,
    ]);
  });

  it('names every content type and encoding', () => {
    for (const name of [...Object.keys(PUBLISH_MEDIA), ...CONTENT_ENCODINGS]) {
      assert.ok(protocol.includes(code(name)), name);
    }
  });
});
