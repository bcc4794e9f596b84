import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { ackCases } from './suite/acks.ts';
import { badEventCases } from './suite/bad-events.ts';
import { badRequestCases } from './suite/bad-requests.ts';
import { type ProtocolCase, Target } from './suite/case.ts';
import { conflictCases } from './suite/conflicts.ts';
import { connectionCases } from './suite/connections.ts';
import { deliveryCases } from './suite/deliveries.ts';
import { encodingCases } from './suite/encodings.ts';
import { formatCases } from './suite/formats.ts';
import { gapCases } from './suite/gaps.ts';
import { headerCases } from './suite/headers.ts';
import { healthCases } from './suite/health.ts';
import { limitCases } from './suite/limits.ts';
import { lineCases } from './suite/lines.ts';
import { liveCases } from './suite/live.ts';
import { methodCases } from './suite/methods.ts';
import { metricsCases } from './suite/metrics.ts';
import { nameCases } from './suite/names.ts';
import { pagingCases } from './suite/paging.ts';
import { payloadCases } from './suite/payloads.ts';
import { publishCases } from './suite/publish.ts';
import { raceCases } from './suite/races.ts';
import { readingCases } from './suite/reading.ts';
import { resultCases } from './suite/results.ts';
import { statsCases } from './suite/stats.ts';
import { subscriptionCases } from './suite/subscriptions.ts';
import { topicCases } from './suite/topics.ts';
import { verdictCases } from './suite/verdicts.ts';

/** Everything that the protocol promises of a server with default settings, by what it is about. */
export const PROTOCOL_CASES: Readonly<Record<string, readonly ProtocolCase[]>> = {
  publish: publishCases,
  acks: ackCases,
  verdicts: verdictCases,
  results: resultCases,
  formats: formatCases,
  encodings: encodingCases,
  'bad events': badEventCases,
  'bad requests': badRequestCases,
  payloads: payloadCases,
  names: nameCases,
  reading: readingCases,
  live: liveCases,
  paging: pagingCases,
  lines: lineCases,
  topics: topicCases,
  gaps: gapCases,
  subscriptions: subscriptionCases,
  deliveries: deliveryCases,
  stats: statsCases,
  conflicts: conflictCases,
  health: healthCases,
  metrics: metricsCases,
  methods: methodCases,
  headers: headerCases,
  connections: connectionCases,
  limits: limitCases,
  races: raceCases,
};

/** Far longer than any case takes: one that waits for an answer that never comes must fail. */
const CASE_TIMEOUT_MS = 60_000;

export interface SuiteOptions {
  readonly name?: string;
  /** The API key of the server, if it has one. */
  readonly key?: string | undefined;
  /** Why the server cannot be started here. */
  readonly skip?: string | false;
}

/**
 * Registers the suite as tests. It stores under names of its own run, so the server may have data in it; but nobody else
 * may publish meanwhile, for it watches the counters.
 *
 * @param getBaseUrl called once, as `http://127.0.0.1:8080`
 */
export function runProtocolSuite(
  getBaseUrl: (t: TestContext) => Promise<string>,
  { name = 'the protocol', key, skip = false }: SuiteOptions = {},
): void {
  test(name, { skip }, async (t) => {
    const url = await getBaseUrl(t);
    const run = randomUUID().slice(0, 8);
    let number = 0;
    for (const [section, cases] of Object.entries(PROTOCOL_CASES)) {
      await t.test(section, async (t) => {
        for (const one of cases) {
          const target = new Target(url, `protocol-${run}-${number++}`, key);
          await t.test(one.name, { timeout: CASE_TIMEOUT_MS }, async () => await one.run(target));
        }
      });
    }
  });
}
