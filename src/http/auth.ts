import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Config, isLoopback } from '../config.ts';
import { SekaliError } from '../errors.ts';

/** What probes call: without a key, and during a shutdown too. It tells nothing but whether Sekali is well. */
export function isProbe(path: string): boolean {
  return path === '/livez' || path === '/readyz' || path === '/health';
}

/** The one place that decides who may do what. */
export class Authoriser {
  readonly #keyDigest: Buffer | undefined;
  readonly #anyHost: boolean;

  constructor({ apiKey, allowAnonymous }: Pick<Config, 'apiKey' | 'allowAnonymous'>) {
    this.#keyDigest = apiKey === undefined ? undefined : digest(apiKey);
    this.#anyHost = apiKey !== undefined || allowAnonymous;
  }

  /** @throws SekaliError `host_refused`, `key_missing`, `key_wrong` */
  check(path: string, headers: IncomingHttpHeaders): void {
    // A web page can point a name of its own at 127.0.0.1 and have the visitor's browser call us (DNS rebinding): its
    // requests carry that name. With a key it cannot know the key.
    if (!this.#anyHost && !isLoopback(hostName(headers.host))) {
      throw new SekaliError(
        'host_refused',
        `without an API key, Sekali answers only to loopback names, not to ${JSON.stringify(headers.host ?? '')}`,
      );
    }
    if (this.#keyDigest === undefined || isProbe(path)) return;
    const given = keyOf(headers.authorization);
    if (given === undefined) {
      throw new SekaliError(
        'key_missing',
        'send the key as "Authorization: Bearer KEY", or as the password of Basic',
      );
    }
    // Digests have one length whatever was sent, so neither the length nor the bytes of the key show in the time taken.
    if (!timingSafeEqual(digest(given), this.#keyDigest))
      throw new SekaliError('key_wrong', 'the API key is not known');
  }
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function hostName(host = ''): string {
  return host.replace(/:\d*$/, '');
}

/** The key in an Authorization header: Bearer (RFC 6750), or the password of Basic (RFC 7617). */
function keyOf(header: string | undefined): string | undefined {
  const match = /^(bearer|basic) +(\S+) *$/i.exec(header ?? '');
  const value = match?.[2];
  if (match === null || value === undefined) return undefined;
  if (match[1]?.toLowerCase() === 'bearer') return value;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon === -1 ? undefined : pair.slice(colon + 1);
}
