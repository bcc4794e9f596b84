/**
 * A process that publishes through a spool on disk until it is killed: some senders, each with a topic of its own, named for the directory, and each waiting for
 * one event before the next. It tells on stdout what `send` has resolved for, and what it has thrown.
 */
import { writeSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { diskSpool } from '../../src/client/disk-spool/index.ts';
import { type ClientError, Sekali } from '../../src/client/index.ts';

export type SpoolTold =
  | { readonly topic: string; readonly done: string; readonly atMs: number }
  | { readonly failed: string; readonly message: string };

const SENDERS = 4;
const [url = '', dir = '', run = '', maxBytes] = process.argv.slice(2);

function tell(what: SpoolTold): void {
  writeSync(1, `${JSON.stringify(what)}\n`);
}

const out = new Sekali({ url, source: 'spool', backoff: { firstMs: 10, maxMs: 50 } }).publisher({
  spool: diskSpool(dir, { maxBytes: Number(maxBytes) }),
  maxBatch: 20,
  lingerMs: 1,
  onSpoolError: ({ code, message }) => tell({ failed: code, message }),
});

async function sendAll(topic: string): Promise<void> {
  for (let n = 0; ; n++) {
    const event_id = `${run}-${n}`;
    try {
      await out.send(topic, { event_id, payload: { n, text: 'x'.repeat(4000) } });
      tell({ topic, done: event_id, atMs: Date.now() });
    } catch (error) {
      const { code, message } = error as ClientError;
      tell({ failed: code, message });
      await pause(20);
    }
  }
}

await Promise.all(Array.from({ length: SENDERS }, (_, i) => sendAll(`${basename(dir)}-${i}`)));
