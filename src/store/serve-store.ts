import type { MessagePort } from 'node:worker_threads';
import { EventPack } from './event-pack.ts';
import type { Store } from './store.ts';
import { type FromStore, type ToStore, toFailure } from './store-messages.ts';

/**
 * Runs a store on this thread for the thread at the other end of the port: one group after the other, and whatever else is
 * asked between two of them.
 *
 * @param open opens the store; told how it gets on, where that takes long
 */
export async function serveStore(
  port: MessagePort,
  open: (onProgress: (message: string) => void) => Store | Promise<Store>,
): Promise<void> {
  const post = (message: FromStore, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  let store: Store;
  try {
    store = await open((message) => post({ kind: 'progress', message }));
  } catch (error) {
    post({ kind: 'refused', failure: toFailure(error) });
    return;
  }

  async function append({ events: message, batches }: ToStore & { kind: 'append' }): Promise<void> {
    const events = EventPack.fromMessage(message);
    try {
      const receipts = await store.append({ events, batches });
      const back = events.toMessage();
      post({ kind: 'appended', events: back, receipts, stats: store.keyStats() }, [
        back.bytes,
        back.words,
        receipts.verdicts.buffer as ArrayBuffer,
        receipts.positions.buffer as ArrayBuffer,
      ]);
    } catch (error) {
      post({ kind: 'failed', failure: toFailure(error) });
    }
  }

  async function find({ id, topic, eventId }: ToStore & { kind: 'find' }): Promise<void> {
    try {
      post({ kind: 'found', id, position: await store.find(topic, eventId) });
    } catch (error) {
      post({ kind: 'found', id, failure: toFailure(error) });
    }
  }

  async function close(): Promise<void> {
    await store.close();
    post({ kind: 'closed' });
    port.close();
  }

  port.on('message', (message: ToStore) => {
    if (message.kind === 'append') void append(message);
    else if (message.kind === 'find') void find(message);
    else void close();
  });
  post({ kind: 'ready', secrets: store.secrets, stats: store.keyStats() });
}
