/**
 * A process that consumes a subscription of the data directory it is told, on the thread of subscriptions, until it is killed. It tells
 * each acknowledgement on stdout twice: what it is going to acknowledge, and that this has been done.
 */
import { writeSync } from 'node:fs';
import { ThreadedSubscriptions } from '../../src/deliver/threaded-subscriptions.ts';

const [dataDir = '', name = ''] = process.argv.slice(2);
const deliveries = await ThreadedSubscriptions.open({
  dataDir,
  onWarning: (message) => tell({ warning: message }),
  onDeath: (error) => tell({ death: String(error) }),
});

export type Told =
  | { readonly sending: number[] }
  | { readonly done: number[] }
  | { readonly warning: string }
  | { readonly death: string };

function tell(what: Told): void {
  writeSync(1, `${JSON.stringify(what)}\n`);
}

async function consume(): Promise<void> {
  for (;;) {
    const { lease, events } = await deliveries.fetch(name, { eventsMax: 20 });
    const positions = events.filter((_, n) => n % 4 !== 3).map(({ event }) => event.position);
    if (positions.length === 0) return;
    tell({ sending: positions });
    const refs = positions.map((position) => ({ position, lease }));
    const settled = await deliveries.ack(name, refs);
    tell({ done: positions.filter((_, n) => settled[n] === 'done') });
  }
}

await Promise.all([consume(), consume(), consume()]);
