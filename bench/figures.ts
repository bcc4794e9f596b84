/** The README's figures: nothing stands there that a bench has not measured. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { ClusterReport } from './cluster/report.ts';
import type { DeliverReport } from './deliver/report.ts';
import type { FullReport } from './full/report.ts';
import type { Target } from './full/targets.ts';
import type { IngestReport } from './ingest-report.ts';
import type { PeersReport } from './peers/report.ts';
import { isTrial, type ReportName, readReport } from './report.ts';

/** A part of a document that is made from a report. */
interface Block {
  readonly report: ReportName;
  readonly start: string;
  readonly end: string;
  /** @returns undefined while that bench has not been run */
  render(): string | undefined;
}

export const BLOCKS: readonly Block[] = [
  {
    report: 'ingest',
    ...markers('bench'),
    render: () => ifThere(readReport('ingest'), renderIngest),
  },
  {
    report: 'full',
    ...markers('bench:full'),
    render: () => ifThere(readReport('full'), renderFull),
  },
  {
    report: 'peers',
    ...markers('bench:peers'),
    render: () => ifThere(readReport('peers'), renderPeers),
  },
  {
    report: 'cluster',
    ...markers('bench:cluster'),
    render: () => ifThere(readReport('cluster'), renderCluster),
  },
  {
    report: 'deliver',
    ...markers('bench:deliver'),
    render: () => ifThere(readReport('deliver'), renderDeliver),
  },
];

/** What stands in a document in the place of a block, or undefined when it has no such place. */
export function blockIn(document: string, { start, end }: Block): string | undefined {
  const from = document.indexOf(start);
  if (from < 0) return undefined;
  return document.slice(from + start.length, document.indexOf(end, from));
}

/** Writes the blocks that the README has a place for; never those of a trial. */
export function writeFigures(): void {
  if (isTrial) return;
  let readme = readFileSync('README.md', 'utf8');
  for (const block of BLOCKS) {
    const old = blockIn(readme, block);
    const text = block.render();
    if (old === undefined || text === undefined) continue;
    readme = readme.replace(block.start + old + block.end, () => block.start + text + block.end);
  }
  writeFileSync('README.md', readme);
}

function markers(name: string): Pick<Block, 'start' | 'end'> {
  return { start: `<!-- ${name} -->\n`, end: `<!-- /${name} -->` };
}

function ifThere<Report, Text>(
  report: Report | undefined,
  render: (report: Report) => Text,
): Text | undefined {
  return report === undefined ? undefined : render(report);
}

function renderIngest({ command, measuredAt, machine, scenarios }: IngestReport): string {
  const rows = scenarios.map(
    ({ name, connections, eventsPerSecond, ackMsP50, ackMsP99 }) =>
      `| ${name}, ${connections} connections | ${eventsPerSecond.toLocaleString('en')} | ${ackMsP50.toFixed(1)} ms | ${ackMsP99.toFixed(1)} ms |`,
  );
  const bytes = scenarios[0]?.rounds[0]?.bytesPerEvent;
  return [
    '| over HTTP, every answer after the fsync | events a second | answer, p50 | p99 |',
    '|---|---|---|---|',
    ...rows,
    '',
    `Events of ${bytes} bytes with random ids, the load generator on the same ${machine.cores} cores (${machine.cpu}); Node ${machine.node},`,
    `SQLite ${machine.sqlite}; medians, ${measuredAt.slice(0, 10)}, \`${command}\`.`,
    '',
  ].join('\n');
}

function renderFull({ command, measuredAt, machine, events, targets }: FullReport): string {
  return [
    `| with ${events.toLocaleString('en')} events stored | measured | target | |`,
    '|---|---|---|---|',
    ...targets.map(rowOf),
    '',
    `${machine.cores} cores (${machine.cpu}), the load generator on the same ones; Node ${machine.node}; ${measuredAt.slice(0, 10)}, \`${command}\`.`,
    '',
  ].join('\n');
}

function renderCluster(report: ClusterReport): string {
  const { command, measuredAt, machine, postgres, redis, shape, targets, repeated, queued, readable, flat } =
    report;
  const { cpuMicros, walBytesPerEvent } = queued;
  const { postgres: db, redis: queue, sekali, load } = cpuMicros;
  return [
    '| over HTTP, batches of 500 | measured | target | |',
    '|---|---|---|---|',
    ...targets.map(rowOf),
    '',
    `- PostgreSQL alone with half duplicates: ${amount(repeated.storedPerSecond, 'events a second')}`,
    `- from queued to readable, p50: ${readable.fromAnswerMsP50.toFixed(1)} ms; counted from the request, p99: ${readable.fromSendMsP99.toFixed(1)} ms (${readable.probes} probes)`,
    `- processor time an event, two instances: PostgreSQL ${db} µs, Redis ${queue} µs, Sekali ${sekali} µs, the load generator ${load} µs`,
    `- write-ahead log of PostgreSQL: ${walBytesPerEvent} bytes an event; on its disk ${flat.disk.bytesPerEvent} bytes an event, of which its key takes ${flat.disk.bytesPerKey}`,
    '',
    `PostgreSQL ${postgres} (fsync and synchronous_commit on), Redis ${redis} (appendfsync always), ${shape.instances} instances with`,
    `WORKER_COUNT=${shape.workers} and the load generator on the same ${machine.cores} cores (${machine.cpu}); Node ${machine.node}; medians,`,
    `${measuredAt.slice(0, 10)}, \`${command}\`.`,
    '',
    '![Events a second through Redis into PostgreSQL, over events stored](bench/results/cluster.svg)',
    '',
  ].join('\n');
}

function renderDeliver(report: DeliverReport): string {
  const { command, measuredAt, machine, live, group, ingest, targets } = report;
  return [
    '| over HTTP | measured | target | |',
    '|---|---|---|---|',
    ...targets.map(rowOf),
    '',
    `- to the subscribers of one topic, p50: ${live.deliveryMsP50.toFixed(1)} ms; the server takes ${live.serverCores} cores for it, the subscribers ${live.subscriberCores}`,
    `- a hand-out to a consumer of the subscription, p50: ${group.fetchMsP50.toFixed(1)} ms; its acknowledgement: ${group.ackMsP50.toFixed(1)} ms`,
    `- publishing alone: ${amount(ingest.alonePerSecond, 'events a second')}; its subscribers have caught up ${ingest.caughtUpSeconds.toFixed(1)} s after the last answer`,
    '',
    `Embedded store, publishers, subscribers and consumers on the same ${machine.cores} cores (${machine.cpu}); no event skipped or repeated;`,
    `Node ${machine.node}, SQLite ${machine.sqlite}; medians, ${measuredAt.slice(0, 10)}, \`${command}\`.`,
    '',
  ].join('\n');
}

function rowOf(target: Target): string {
  return `| ${target.what} | ${amount(target.figure, target.unit)} | ${bound(target)} | ${target.met ? 'met' : 'missed'} |`;
}

function bound({ atLeast, atMost, unit }: Target): string {
  return atLeast === undefined ? `at most ${amount(atMost, unit)}` : `at least ${amount(atLeast, unit)}`;
}

function amount(value: number | undefined, unit: string): string {
  return value === undefined ? 'not measured' : `${value.toLocaleString('en')} ${unit}`.trim();
}

function renderPeers({
  command,
  measuredAt,
  machine,
  eventsEach,
  peers,
  targets,
  missing,
}: PeersReport): string {
  const rows = peers.map(
    ({ name, version, fresh, repeated, durable, remembers }) =>
      `| ${name} (${version}) | ${fresh.eventsPerSecond.toLocaleString('en')} | ${repeated.eventsPerSecond.toLocaleString('en')} | ${durable} | ${remembers} |`,
  );
  return [
    '| the same events to each | new, a second | half duplicates | outlives a power failure once acknowledged | remembers ids |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    `${eventsEach.toLocaleString('en')} events each, sent from the same ${machine.cores} cores (${machine.cpu}); medians of rounds in turn,`,
    `${measuredAt.slice(0, 10)}, \`${command}\`. How each is set up stands in [the results](bench/results/peers.json).`,
    '',
    ...targets.map(
      (target) =>
        `- ${target.what}: ${amount(target.figure, target.unit)}, target ${bound(target)}: ${target.met ? 'met' : 'missed'}`,
    ),
    ...missing.map(({ name, why }) => `- not measured: ${name} (${why})`),
    '',
  ].join('\n');
}
