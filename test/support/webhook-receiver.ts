import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { WireStoredEvent } from '../../src/protocol/wire.ts';
import { atEnd } from './at-end.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: WireStoredEvent;
  /** By a clock that cannot jump. */
  readonly atMs: number;
}

export type Reply =
  | number
  | { readonly status: number; readonly headers?: OutgoingHttpHeaders; readonly body?: string }
  /** It answers by itself, or never. */
  | ((response: ServerResponse) => void);

/** A real server on 127.0.0.1 that webhooks are sent to. */
export class WebhookReceiver {
  readonly url: string;
  readonly received: Received[] = [];
  /** Connections that were ever made to it. */
  connections = 0;
  reply: (request: Received, nth: number) => Reply = () => 204;

  private constructor(url: string) {
    this.url = url;
  }

  static async start(t: Pick<TestContext, 'after'>): Promise<WebhookReceiver> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => {});
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const event = (body === '' ? {} : JSON.parse(body)) as WireStoredEvent;
        const { headers, url: path = '' } = request;
        const one = { path, headers, body, event, atMs: performance.now() };
        receiver.received.push(one);
        answer(response, receiver.reply(one, receiver.received.length));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new WebhookReceiver(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
    server.on('connection', () => receiver.connections++);
    atEnd(t, () => {
      server.closeAllConnections();
      server.close();
    });
    return receiver;
  }

  /** Ids of events, in the order in which they came. */
  get ids(): string[] {
    return this.received.map(({ event }) => event.event_id);
  }
}

function answer(response: ServerResponse, reply: Reply): void {
  if (typeof reply === 'function') reply(response);
  else if (typeof reply === 'number') response.writeHead(reply).end();
  else response.writeHead(reply.status, reply.headers).end(reply.body);
}

/** By the formula of Standard Webhooks, written down once more: which of the signatures of a request a secret has made. */
export function verifiedBy(secret: string, { headers, body }: Received): number[] {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signed = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.');
  const expected = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  const signatures = String(headers['webhook-signature']).split(' ');
  return signatures.flatMap((one, i) => (one === expected ? [i] : []));
}
