import type { TransferCounts } from '../transfer/records.ts';
import { grouped } from './terminal.ts';

/** What has been exported or imported, as one line. */
export function moved(what: string, counts: TransferCounts, startedAt: number): string {
  const seconds = (performance.now() - startedAt) / 1000;
  const { events, keys, topics, subscriptions, conflicts } = counts;
  const parts = [
    `${grouped(events)} events`,
    `${grouped(keys)} keys of retired ones`,
    `${grouped(topics)} topics`,
    `${grouped(subscriptions)} subscriptions`,
    `${grouped(conflicts)} conflicts`,
  ];
  return `${what}: ${parts.join(', ')} in ${seconds.toFixed(1)} s\n`;
}
