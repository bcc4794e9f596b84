/**
 * The thread of subscriptions where the store is in files: what is handed out and acknowledged is committed here, so that no request, no
 * reader and no publisher waits for that fsync. It reads events through a connection of its own.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { SqliteReader } from '../../store/sqlite/sqlite-reader.ts';
import { SqliteSubscriptions } from '../../store/sqlite/sqlite-subscriptions.ts';
import { toFailure } from '../../store/store-messages.ts';
import type {
  DeliveryCall,
  FromSubscriptions,
  SubscriptionThreadData,
  ToSubscriptions,
} from '../subscription-messages.ts';
import { Subscriptions } from '../subscriptions.ts';

if (parentPort) await serve(parentPort, workerData as SubscriptionThreadData);

async function serve(port: MessagePort, { dataDir }: SubscriptionThreadData): Promise<void> {
  const post = (message: FromSubscriptions) => port.postMessage(message);
  let reader: SqliteReader | undefined;
  let deliveries: Subscriptions;
  try {
    reader = SqliteReader.open(dataDir);
    const store = await openStore(dataDir, reader, (message) => post({ kind: 'warning', message }));
    deliveries = new Subscriptions({ store, reader });
  } catch (error) {
    await reader?.close();
    post({ kind: 'refused', failure: toFailure(error) });
    return;
  }

  const running = new Set<Promise<void>>();
  async function run({ id, method, args }: DeliveryCall): Promise<void> {
    try {
      const call = deliveries[method].bind(deliveries) as (...args: readonly unknown[]) => Promise<unknown>;
      post({ kind: 'result', id, value: await call(...args) });
    } catch (error) {
      post({ kind: 'failed', id, failure: toFailure(error) });
    }
  }

  port.on('message', (message: ToSubscriptions) => {
    if (message === 'close') {
      void closeAll().then(() => port.close());
      return;
    }
    const one = run(message);
    running.add(one);
    void one.then(() => running.delete(one));
  });
  async function closeAll(): Promise<void> {
    await Promise.all(running);
    await deliveries.close();
    await reader?.close();
  }
  post({ kind: 'ready' });
}

/** No cursor may be beyond the events: else what gets these positions would never be handed out. */
async function openStore(
  dataDir: string,
  reader: SqliteReader,
  onWarning: (message: string) => void,
): Promise<SqliteSubscriptions> {
  const store = SqliteSubscriptions.open({ dataDir });
  for (const { name, from, to } of await store.pullBack(await reader.lastPosition())) {
    onWarning(
      `subscription ${JSON.stringify(name)} was at position ${from}, beyond the last event, as after older events were put back: it goes on after ${to}`,
    );
  }
  return store;
}
