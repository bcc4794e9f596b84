import { readFileSync, writeFileSync } from 'node:fs';

/** What `npm run bench` writes, as far as the README shows it. */
export interface IngestReport {
  readonly command: string;
  readonly measuredAt: string;
  readonly machine: {
    cpu: string;
    cores: number;
    memoryGiB: number;
    node: string;
    sqlite: string | undefined;
  };
  readonly scenarios: readonly {
    name: string;
    connections: number;
    eventsPerSecond: number;
    ackMsP50: number;
    ackMsP99: number;
    rounds: readonly { bytesPerEvent: number }[];
  }[];
}

export const REPORT_FILE = 'bench/results/ingest.json';

const START = '<!-- bench -->\n';
const END = '<!-- /bench -->';

/** The README's figures: nothing stands there that a bench has not measured. */
export function renderFigures({ command, measuredAt, machine, scenarios }: IngestReport): string {
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

export function figuresIn(readme: string): string {
  return readme.slice(readme.indexOf(START) + START.length, readme.indexOf(END));
}

export function writeFigures(report: IngestReport): void {
  const readme = readFileSync('README.md', 'utf8');
  const before = readme.slice(0, readme.indexOf(START) + START.length);
  writeFileSync('README.md', before + renderFigures(report) + readme.slice(readme.indexOf(END)));
}
