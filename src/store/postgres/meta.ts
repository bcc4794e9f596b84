import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { SekaliError } from '../../errors.ts';
import type { StoreSecrets } from '../store.ts';
import type { SqlClient } from './connection.ts';

/** Bytes of each secret. */
const SECRETS = { key_secret: 16, content_seed: 8, data_id: 16 } as const;

/** Makes the secrets of a new database: the same for all instances, for as long as its data lives. */
export async function makeMeta(client: SqlClient): Promise<void> {
  const values = Object.entries(SECRETS).map(([name, bytes]): [string, Buffer] => [name, randomBytes(bytes)]);
  await writeMeta(client, new Map(values));
}

/** Writes secrets, with their checksum. */
export async function writeMeta(client: SqlClient, secrets: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const all: [string, Uint8Array][] = [...secrets, ['checksum', checksumOf(secrets)]];
  for (const [name, value] of all) {
    await client.query({
      text: `INSERT INTO sekali.meta (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      values: [name, Buffer.from(value)],
    });
  }
}

/** @throws SekaliError `store_damaged`: with another secret every key would be new */
export async function readMeta(client: SqlClient): Promise<StoreSecrets> {
  const { rows } = await client.query('SELECT name, value FROM sekali.meta');
  const values = new Map((rows as { name: string; value: Buffer }[]).map(({ name, value }) => [name, value]));
  const [keySecret, seed] = [values.get('key_secret'), values.get('content_seed')];
  const isWhole = Object.entries(SECRETS).every(([name, bytes]) => values.get(name)?.length === bytes);
  if (!isWhole || !keySecret || !seed || !values.get('checksum')?.equals(checksumOf(values))) {
    throw new SekaliError(
      'store_damaged',
      'the secrets of the store are not what was written: restore a backup',
    );
  }
  return {
    keySecret: Uint8Array.from(keySecret),
    contentSeed: { high: seed.readInt32LE(0), low: seed.readInt32LE(4) },
  };
}

function checksumOf(secrets: ReadonlyMap<string, Uint8Array>): Buffer {
  const checksum = Buffer.alloc(4);
  const sum = Object.keys(SECRETS).reduce((soFar, name) => crc32(secrets.get(name) ?? '', soFar), 0);
  checksum.writeUInt32LE(sum);
  return checksum;
}
