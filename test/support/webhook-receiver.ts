import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
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

/** Which of the certificates of scripts/make-test-certificates.ts it has: but for the last, of an authority that a server can be told of. */
export type Certificate = 'localhost' | 'elsewhere' | 'self-signed';

/** The authority, as a server is told of it. */
export const TEST_CA = fileOf('test-ca.pem');

/** A real server on 127.0.0.1 that webhooks are sent to. */
export class WebhookReceiver {
  readonly url: string;
  readonly received: Received[] = [];
  /** Connections that were ever made to it. */
  connections = 0;
  /** What was asked for in each TLS handshake (SNI) that was finished. */
  readonly serverNames: unknown[] = [];
  reply: (request: Received, nth: number) => Reply = () => 204;

  private constructor(url: string) {
    this.url = url;
  }

  /** @param certificate with one it speaks https, as `localhost` */
  static async start(t: Pick<TestContext, 'after'>, certificate?: Certificate): Promise<WebhookReceiver> {
    const take = (request: IncomingMessage, response: ServerResponse) => {
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
    };
    const server = certificate ? createSecureServer(identityOf(certificate), take) : createServer(take);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = certificate ? 'https://localhost' : 'http://127.0.0.1';
    const receiver = new WebhookReceiver(`${origin}:${(server.address() as AddressInfo).port}/hook`);
    server.on('connection', () => receiver.connections++);
    server.on('secureConnection', ({ servername }: TLSSocket & { servername?: unknown }) =>
      receiver.serverNames.push(servername),
    );
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

function identityOf(certificate: Certificate): { key: Buffer; cert: Buffer } {
  return {
    key: readFileSync(fileOf(`${certificate}.key`)),
    cert: readFileSync(fileOf(`${certificate}.pem`)),
  };
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`./tls/${name}`, import.meta.url));
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
