import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { ClusterReport } from './cluster/report.ts';
import type { DeliverReport } from './deliver/report.ts';
import type { FullReport } from './full/report.ts';
import type { IngestReport } from './ingest-report.ts';
import type { PeersReport } from './peers/report.ts';

/** What there is to be read, each in a JSON file of its name. */
interface Reports {
  readonly ingest: IngestReport;
  readonly full: FullReport;
  readonly peers: PeersReport;
  readonly cluster: ClusterReport;
  readonly deliver: DeliverReport;
}

export type ReportName = keyof Reports;

/** `BENCH_RESULTS` names another directory, for trials that no document should quote. */
export const RESULTS_DIR: string = process.env['BENCH_RESULTS'] ?? 'bench/results';
export const isTrial: boolean = process.env['BENCH_RESULTS'] !== undefined;

export function writeReport<Name extends ReportName>(name: Name, report: Reports[Name]): void {
  mkdirSync(RESULTS_DIR, { recursive: true });
  writeFileSync(pathOf(name), `${JSON.stringify(report, null, 2)}\n`);
}

/** @returns undefined when that bench has not been run yet */
export function readReport<Name extends ReportName>(name: Name): Reports[Name] | undefined {
  return existsSync(pathOf(name))
    ? (JSON.parse(readFileSync(pathOf(name), 'utf8')) as Reports[Name])
    : undefined;
}

function pathOf(name: ReportName): string {
  return `${RESULTS_DIR}/${name}.json`;
}
