/** The charts: `node bench/draw.ts`, and at the end of the benches that they are drawn from. */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { ClusterReport } from './cluster/report.ts';
import { drawBars } from './draw/bars.ts';
import { drawLine } from './draw/line.ts';
import type { FullReport } from './full/report.ts';
import type { PeersReport } from './peers/report.ts';
import { RESULTS_DIR, readReport } from './report.ts';

/** Draws a chart for each result that is there. */
export function drawCharts(): void {
  mkdirSync(RESULTS_DIR, { recursive: true });
  const full = readReport('full');
  if (full) write('rate', drawRate(full));
  const peers = readReport('peers');
  if (peers) write('peers', drawPeers(peers));
  const cluster = readReport('cluster');
  if (cluster) write('cluster', drawCluster(cluster));
}

function write(name: string, svg: string): void {
  writeFileSync(`${RESULTS_DIR}/${name}.svg`, svg);
}

function drawRate({ fill }: FullReport): string {
  return drawLine({
    title: 'New events a second, over the number of events stored',
    subtitle: 'over HTTP, exact deduplication against all of them, every answer after the fsync',
    points: fill.points.map(({ events, eventsPerSecond }) => ({ x: events, y: eventsPerSecond })),
  });
}

function drawCluster({ flat }: ClusterReport): string {
  return drawLine({
    title: 'New events a second through Redis and two instances into PostgreSQL',
    subtitle: 'exact deduplication against all of them, every answer after the fsync of Redis',
    points: flat.points.map(({ events, eventsPerSecond }) => ({ x: events, y: eventsPerSecond })),
  });
}

function drawPeers({ peers }: PeersReport): string {
  return drawBars({
    title: 'New events a second',
    subtitle: 'the same events to each, on the same machine',
    strong: 'outlives a power failure once acknowledged',
    weak: 'does not',
    bars: peers.map(({ name, fresh, durable, remembers }) => ({
      name,
      value: fresh.eventsPerSecond,
      note: `durable: ${durable} · remembers: ${remembers}`,
      isStrong: durable === 'yes',
    })),
  });
}

if (import.meta.main) drawCharts();
