import type { LeaseRef, Settled } from '../subscription-store.ts';
import type { OutstandingRows } from './subscription-outstanding.ts';

/** References of one lease, as nearly all requests have them. */
export interface OneLease {
  readonly bytes: Uint8Array;
  readonly positions: number[];
}

/**
 * Settles what leases hold, one lease at a time, and tells for each reference what became of it. A second reference to what the first
 * has ended is stale.
 *
 * @param settle does it to the positions that this lease holds, and returns which they were
 */
export function settleAll(
  rows: OutstandingRows,
  id: number,
  refs: readonly LeaseRef[],
  settle: (lease: OneLease) => Set<number>,
  { endsLease }: { endsLease: boolean },
): Settled[] {
  const verdicts = new Map<string, (position: number) => Settled>();
  for (const [lease, one] of byLease(refs)) {
    const done = settle(one);
    const isAll = done.size === one.positions.length;
    const over = isAll ? undefined : rows.ofLease(id, one.positions, one.bytes);
    verdicts.set(lease, (position) => {
      if (done.has(position)) {
        if (endsLease) done.delete(position);
        return 'done';
      }
      return over?.has(position) ? 'lease_expired' : 'lease_stale';
    });
  }
  return refs.map(({ position, lease }) => verdicts.get(lease)!(position));
}

function byLease(refs: readonly LeaseRef[]): Map<string, OneLease> {
  const leases = new Map<string, OneLease>();
  for (const { position, lease } of refs) {
    let one = leases.get(lease);
    if (one === undefined) leases.set(lease, (one = { bytes: Buffer.from(lease, 'hex'), positions: [] }));
    one.positions.push(position);
  }
  return leases;
}
