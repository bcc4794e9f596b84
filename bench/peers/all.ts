import { NATS_CLIENT, NATS_DEFAULT, NATS_SYNCED } from './nats.ts';
import type { Peer } from './peer.ts';
import { POSTGRES } from './postgres.ts';
import { REDIS_ALWAYS, REDIS_EVERYSEC } from './redis.ts';
import { SEKALI } from './sekali.ts';
import { SQLITE } from './sqlite.ts';

/** In the order in which they take their turns. */
export const PEERS: readonly Peer[] = [
  SEKALI,
  NATS_DEFAULT,
  NATS_CLIENT,
  NATS_SYNCED,
  REDIS_ALWAYS,
  REDIS_EVERYSEC,
  POSTGRES,
  SQLITE,
];
