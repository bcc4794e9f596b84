import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { SekaliError } from '../../errors.ts';
import type { StoreSecrets } from '../store.ts';

/** What belongs to the data directory as a whole. */
export interface Meta extends StoreSecrets {
  /** Random; tells the files of this directory from those of another. */
  readonly dataId: Uint8Array;
}

/** @throws SekaliError `store_damaged`: with another secret every key would be new */
export function readMeta(db: DatabaseSync): Meta {
  const checksum = Buffer.from(readValue(db, 'checksum'));
  if (checksum.length !== 4 || checksum.readUInt32LE() !== checksumOfMeta(db)) {
    throw new SekaliError(
      'store_damaged',
      'the secrets of the store are not what was written: restore a backup',
    );
  }
  const seed = readValue(db, 'content_seed');
  const view = new DataView(seed.buffer, seed.byteOffset, seed.byteLength);
  return {
    keySecret: readValue(db, 'key_secret'),
    contentSeed: { high: view.getInt32(0, true), low: view.getInt32(4, true) },
    dataId: readValue(db, 'data_id'),
  };
}

/** Notes the checksum of the values that are there. */
export function sealMeta(db: DatabaseSync): void {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(checksumOfMeta(db));
  db.prepare("INSERT OR REPLACE INTO meta VALUES ('checksum', ?)").run(checksum);
}

function checksumOfMeta(db: DatabaseSync): number {
  return ['key_secret', 'content_seed', 'data_id'].reduce((sum, name) => crc32(readValue(db, name), sum), 0);
}

function readValue(db: DatabaseSync, name: string): Uint8Array {
  const value = db.prepare('SELECT value FROM meta WHERE name = ?').get(name)?.['value'];
  if (!(value instanceof Uint8Array)) throw new SekaliError('store_damaged', `the store has no ${name}`);
  return value;
}
