import { createHash } from 'node:crypto';
import { SekaliError } from '../errors.ts';
import type { StoreSecrets } from './store.ts';

/**
 * Tells one store from another: the same for all instances that share one, and for its copy by export and import. Keys that were
 * made for one store mean nothing to another, so whatever keeps such keys outside of the store is marked with it.
 *
 * @returns 16 hexadecimal digits, from which the secrets cannot be had back
 */
export function storeMarkOf({ keySecret, contentSeed }: StoreSecrets): string {
  const seed = Buffer.alloc(8);
  seed.writeInt32LE(contentSeed.high, 0);
  seed.writeInt32LE(contentSeed.low, 4);
  return createHash('sha256')
    .update('sekali store')
    .update(keySecret)
    .update(seed)
    .digest('hex')
    .slice(0, 16);
}

/** What is known here of keys and topics, and what is queued, is of the store that was there before: none of it would be known again. */
export function anotherStore(): SekaliError {
  return new SekaliError('store_unavailable', 'the store that is there now is another one: start again');
}
