import { BlockList, isIP } from 'node:net';

/** Of IPv4, what is not of the public internet (IANA IPv4 Special-Purpose Address Registry), multicast and what is reserved. */
const NOT_PUBLIC_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/**
 * Of IPv6 all that is public lies within this. Loopback, link-local and unique local addresses, multicast, and those that carry an IPv4
 * address (mapped, compatible, NAT64) are outside.
 */
const PUBLIC_6 = ['2000::/3'];

/** Within it: protocol assignments (Teredo, benchmarks, ORCHID), documentation, and 6to4, which carries an IPv4 address too. */
const NOT_PUBLIC_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const notPublic = networks([...NOT_PUBLIC_4, ...NOT_PUBLIC_6]);
const public6 = networks(PUBLIC_6);

/** Whether an address is one of the public internet. What cannot be read is not. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !notPublic.check(address, 'ipv4');
  return family === 6 && public6.check(address, 'ipv6') && !notPublic.check(address, 'ipv6');
}

/** Whether an address lies in one of the networks. The IPv4 address that an IPv6 one maps counts as itself. */
export function isWithin(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** @param texts each valid: {@link isNetwork} */
export function networks(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const { address, prefix, family } = parse(text);
    list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

/** An address, or one with the length of a prefix, as `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  const { family, prefix } = parse(text);
  return family !== 0 && prefix <= (family === 4 ? 32 : 128);
}

function parse(text: string): { address: string; prefix: number; family: number } {
  const [, address = '', length] = /^([^/%]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return { address, family, prefix: length === undefined ? (family === 4 ? 32 : 128) : Number(length) };
}
