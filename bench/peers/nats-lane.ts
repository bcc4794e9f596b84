/**
 * A publisher to NATS JetStream that speaks the text protocol itself: a batch of messages in one write, each with its
 * message id and its ack, as many of them under way as there are lanes. With the official client as many messages a
 * second go through as Node can make and await, which is fewer than the server takes.
 */
import { EVENT_BYTES, ID_TEMPLATE, TOPIC_TEMPLATE } from '../load/event-text.ts';
import type { Lane, Tally } from '../load/lane.ts';
import type { LoadPlan } from '../load/plan.ts';
import { EventRequest } from '../load/request.ts';
import { LineSocket } from './line-socket.ts';

const CONNECT = `CONNECT {"verbose":false,"pedantic":false,"headers":true,"lang":"bench","version":"1"}\r\n`;
let inboxes = 0;

/** An ack is a line of JSON after the line that announces it; nothing in it breaks the line. */
export async function openNatsLane(plan: LoadPlan, onError: (error: Error) => void): Promise<Lane> {
  const inbox = `_INBOX.${process.pid}.${inboxes++}`;
  const connected = Promise.withResolvers<void>();
  const fail = (error: Error) => {
    connected.reject(error);
    onError(error);
  };
  let waiting: ((tally: Tally) => void) | undefined;
  let tally = { processed: 0, duplicates: 0 };
  const take = (line: string) => {
    if (line === 'PONG') connected.resolve();
    else if (line === 'PING') socket.write('PONG\r\n');
    else if (line.startsWith('-ERR') || line.startsWith('{"error"') || line.includes('"error":')) {
      throw new Error(line);
    } else if (line.startsWith('{')) {
      if (line.includes('"duplicate"')) tally.duplicates++;
      else tally.processed++;
      if (tally.processed + tally.duplicates < plan.batch) return;
      const done = tally;
      tally = { processed: 0, duplicates: 0 };
      waiting?.(done);
    }
  };
  const socket = await LineSocket.open(plan.url, take, fail);
  socket.write(`${CONNECT}SUB ${inbox} 1\r\nPING\r\n`);
  await connected.promise;

  const headers = `NATS/1.0\r\nNats-Msg-Id: ${TOPIC_TEMPLATE}/${ID_TEMPLATE}\r\n\r\n`;
  const before = `HPUB ${TOPIC_TEMPLATE} ${inbox} ${headers.length} ${headers.length + EVENT_BYTES}\r\n${headers}`;
  const shape = { head: '', before, after: '\r\n', between: '', tail: '' };
  const request = new EventRequest(shape, plan.batch, plan.seed);
  return {
    send(numbers, onAnswer) {
      waiting = onAnswer;
      request.refill(numbers);
      socket.write(request.bytes);
    },
    close: () => socket.close(),
  };
}

/** Makes the stream that the events go into. */
export async function createStream(url: string): Promise<void> {
  const answered = Promise.withResolvers<string>();
  const socket = await LineSocket.open(
    url,
    (line) => {
      if (line.startsWith('{"type"')) answered.resolve(line);
      else if (line.startsWith('-ERR')) answered.reject(new Error(line));
    },
    answered.reject,
  );
  const config = JSON.stringify({
    name: 'BENCH',
    subjects: ['orders.*'],
    storage: 'file',
    retention: 'limits',
    discard: 'old',
    num_replicas: 1,
    duplicate_window: 120_000_000_000,
    max_msgs: -1,
    max_bytes: -1,
  });
  const inbox = `_INBOX.${process.pid}.create`;
  socket.write(
    `${CONNECT}SUB ${inbox} 1\r\nPUB $JS.API.STREAM.CREATE.BENCH ${inbox} ${config.length}\r\n${config}\r\n`,
  );
  const answer = await answered.promise;
  socket.close();
  if (answer.includes('"error"')) throw new Error(answer);
}
