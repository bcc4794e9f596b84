import type { LeaseRef } from '../subscription-store.ts';
import { fixedArray, INT8, UUID } from './binary-arrays.ts';

/** The two arrays of what leases name. What is no lease id is a NULL, which no row has. */
export function leaseArrays(leases: readonly LeaseRef[]): [positions: Buffer, leases: Buffer] {
  return [
    positionArray(leases.map(({ position }) => position)),
    fixedArray(UUID, leases.length, 16, (into, at, i) => {
      const id = Buffer.from(leases[i]!.lease, 'hex');
      return id.length === 16 && id.copy(into, at);
    }),
  ];
}

export function positionArray(positions: readonly number[]): Buffer {
  return fixedArray(INT8, positions.length, 8, (into, at, i) =>
    into.writeBigInt64BE(BigInt(positions[i]!), at),
  );
}

/** A lease or a version as the database writes it, as the port does. */
export function hexOf(uuid: string): string {
  return uuid.replaceAll('-', '');
}

/** PostgreSQL has no text with the character U+0000: a name with one is none that anything has. Nothing has an empty one either. */
export function nameText(name: string): string {
  return name.includes('\0') ? '' : name;
}

/** A reason is for people to read. */
export function reasonText(reason: string | undefined): string | null {
  return reason?.replaceAll('\0', '\u{fffd}') ?? null;
}
