import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup as resolve } from 'node:dns/promises';
import { type BlockList, isIP, type LookupFunction } from 'node:net';
import { Turns } from '../../turns.ts';
import { isNetwork, isPublic, isWithin, networks } from './special-addresses.ts';

/**
 * Names that are looked up at one time. Each takes one of the four threads that Node has for such work, for seconds where a name server
 * does not answer; and those who publish need them too, for what is compressed.
 */
const LOOKUPS_MAX = 2;

/**
 * Where webhooks may go. Whoever may make subscriptions names the URL, and Sekali calls it from within the network where it runs: so
 * only addresses of the public internet are connected to, over https, but for those that the operator has allowed by name.
 *
 * The address is looked at when it is connected to, by {@link lookup}: what a name stood for before does not count.
 */
export class TargetPolicy {
  readonly #hosts: ReadonlySet<string>;
  readonly #networks: BlockList;
  readonly #lookups = new Turns(LOOKUPS_MAX);
  readonly lookup: LookupFunction;

  /** @param allowed host names, addresses and networks, each valid: {@link isAllowable} */
  constructor(allowed: readonly string[]) {
    this.#networks = networks(allowed.filter(isNetwork));
    this.#hosts = new Set(allowed.filter((one) => !isNetwork(one)).map((one) => hostOf(one) ?? one));
    this.lookup = (host, options, callback) => void this.#answer(host, options, callback);
  }

  /** Why nothing may be sent to a URL, whatever its name stands for; undefined when that has to be looked up. */
  refusal(text: string): string | undefined {
    if (!URL.canParse(text)) return 'it must be an absolute URL, as https://example.com/hook';
    const url = new URL(text);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'it must be an https URL';
    if (url.username !== '' || url.password !== '') return 'it must hold no user name and no password';
    const host = hostOfUrl(url);
    if (isIP(host) !== 0 && !this.#mayConnect(host, host)) return notAllowed(host);
    if (url.protocol === 'http:' && !this.#isNamed(host))
      return 'it must be an https URL: http is only for hosts in webhook_allow';
    return undefined;
  }

  async #answer(
    host: string,
    options: LookupOptions,
    callback: Parameters<LookupFunction>[2],
  ): Promise<void> {
    let found: [LookupAddress, ...LookupAddress[]];
    try {
      found = await this.#lookUp(host, options);
    } catch (error) {
      callback(error as Error, '');
      return;
    }
    if (options.all) callback(null, found);
    else callback(null, found[0].address, found[0].family);
  }

  async #lookUp(host: string, options: LookupOptions): Promise<[LookupAddress, ...LookupAddress[]]> {
    await this.#lookups.take(1);
    try {
      const found = await resolve(host, { ...options, all: true });
      const [first, ...others] = found.filter(({ address }) => this.#mayConnect(host, address));
      if (first === undefined) throw refused(host, found);
      return [first, ...others];
    } finally {
      this.#lookups.give(1);
    }
  }

  #mayConnect(host: string, address: string): boolean {
    return isPublic(address) || this.#isNamed(host) || isWithin(this.#networks, address);
  }

  #isNamed(host: string): boolean {
    return isIP(host) === 0 ? this.#hosts.has(withoutDot(host)) : isWithin(this.#networks, host);
  }
}

/** A host name, an address, or a network as `10.0.0.0/8`. */
export function isAllowable(text: string): boolean {
  return isNetwork(text) || (hostOf(text) !== undefined && isIP(hostOf(text) ?? '') === 0);
}

/** A name as URLs spell it; undefined for what is none. */
function hostOf(text: string): string | undefined {
  if (/[/@:?#%*,\\[\]\s]/.test(text) || !URL.canParse(`https://${text}/`)) return undefined;
  return withoutDot(new URL(`https://${text}/`).hostname);
}

function hostOfUrl({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** The dot at the end says that a name is whole, and is no part of it. */
function withoutDot(host: string): string {
  return host.replace(/\.$/, '');
}

function refused(host: string, found: readonly LookupAddress[]): Error {
  const addresses = found.map(({ address }) => address).join(', ');
  return new Error(`${host} stands for ${addresses}: ${notAllowed('this')}`);
}

function notAllowed(what: string): string {
  return `${what} is not of the public internet, and not in webhook_allow`;
}
