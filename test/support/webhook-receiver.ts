import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
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

/** By the library that receivers use: which of the signatures of a request a secret has made. All of them are looked at, each by itself. */
export function verifiedBy(secret: string, { headers, body }: Received): number[] {
  const webhook = new Webhook(secret);
  const signatures = String(headers['webhook-signature']).split(' ');
  return signatures.flatMap((one, i) => {
    try {
      webhook.verify(body, { ...(headers as Record<string, string>), 'webhook-signature': one });
      return [i];
    } catch (error) {
      if (error instanceof WebhookVerificationError) return [];
      throw error;
    }
  });
}

/** Throws unless a receiver with this secret takes the request, as it came. @returns the event in it */
export function verified(secret: string, { headers, body }: Received): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}
