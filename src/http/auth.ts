import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Config, isLoopback } from '../config.ts';
import { SekaliError } from '../errors.ts';

const PROBES = new Set(['/livez', '/readyz', '/health']);

/** What probes call: without a key, and during a shutdown too. To whoever has none it tells nothing but what is well. */
export function isProbe(route: string | undefined): boolean {
  return route !== undefined && PROBES.has(route);
}

/** A request by what decides whether it is let in. */
export interface Asked {
  /** The route that was found for it, as `/events/:topic/:event_id`; undefined when there is none. */
  readonly route: string | undefined;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/** The one place that decides who may do what. */
export class Authoriser {
  readonly #keyDigest: Buffer | undefined;
  readonly #anyHost: boolean;
  readonly #origins: ReadonlySet<string>;

  constructor({
    apiKey,
    allowAnonymous,
    corsOrigins,
  }: Pick<Config, 'apiKey' | 'allowAnonymous' | 'corsOrigins'>) {
    this.#keyDigest = apiKey === undefined ? undefined : digest(apiKey);
    this.#anyHost = apiKey !== undefined || allowAnonymous;
    this.#origins = new Set(corsOrigins);
  }

  /** @throws SekaliError `host_refused`, `origin_refused`, `key_missing`, `key_wrong` */
  check({ route, method, headers }: Asked): void {
    this.#checkHost(headers.host);
    if (!READING.has(method)) this.#checkOrigin(headers);
    if (!isProbe(route)) this.#checkKey(headers.authorization);
  }

  /** Whether a request may be told what is not for everybody: names and addresses of servers, what they say of themselves. */
  mayKnow({ authorization }: IncomingHttpHeaders): boolean {
    return this.#keyDigest === undefined || this.#isKey(keyOf(authorization) ?? '');
  }

  // A web page can point a name of its own at 127.0.0.1 and have the visitor's browser call us (DNS rebinding): its
  // requests carry that name. With a key it cannot know the key.
  #checkHost(host = ''): void {
    if (this.#anyHost || isLoopback(host.replace(/:\d*$/, ''))) return;
    throw new SekaliError(
      'host_refused',
      `without an API key, Sekali answers only to loopback names, not to ${JSON.stringify(host)}`,
    );
  }

  // A web page can also have the visitor's browser send a POST to 127.0.0.1 itself. It cannot read the answer, but the
  // event would be stored. Browsers say where such a request comes from (Fetch Standard, section 3.2); others do not.
  #checkOrigin({ origin, host }: IncomingHttpHeaders): void {
    if (origin === undefined || this.#origins.has(origin)) return;
    if (host !== undefined && URL.parse(origin)?.host === URL.parse(`http://${host}`)?.host) return;
    throw new SekaliError(
      'origin_refused',
      `web pages of ${JSON.stringify(origin)} may not do this: SEKALI_CORS_ORIGINS names those that may`,
    );
  }

  #checkKey(authorization: string | undefined): void {
    if (this.#keyDigest === undefined) return;
    const given = keyOf(authorization);
    if (given === undefined) {
      throw new SekaliError(
        'key_missing',
        'send the key as "Authorization: Bearer KEY", or as the password of Basic',
      );
    }
    if (!this.#isKey(given)) throw new SekaliError('key_wrong', 'the API key is not known');
  }

  // Digests have one length whatever was sent, so neither the length nor the bytes of the key show in the time taken.
  #isKey(given: string): boolean {
    return this.#keyDigest !== undefined && timingSafeEqual(digest(given), this.#keyDigest);
  }
}

/** Methods that change nothing (RFC 9110 section 9.2.1). What they answer, a page of another origin cannot read. */
const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
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
