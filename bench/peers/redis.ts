import { missingRedis, RedisProgram, redisVersion } from '../programs/redis.ts';
import type { Peer } from './peer.ts';

const REDIS = {
  remembers: 'as long as all ids and events fit into memory',
  connections: 16,
  missing: missingRedis,
  version: redisVersion,
} as const;
const HOW =
  'a script does SET NX and XADD for each event, 500 events a call, 16 calls under way; append-only file';

export const REDIS_ALWAYS: Peer = {
  ...REDIS,
  name: 'Redis stream, appendfsync always',
  durable: 'yes',
  how: `${HOW}, synced before each answer`,
  start: () => RedisProgram.start('always'),
};

export const REDIS_EVERYSEC: Peer = {
  ...REDIS,
  name: 'Redis stream, appendfsync everysec',
  durable: 'within a second',
  how: `${HOW}, synced every second`,
  start: () => RedisProgram.start('everysec'),
};
