import { isInUse } from '../data-in-use.ts';
import { findWalFault } from '../wal-fault.ts';
import { type FaultList, MEND } from './fault.ts';

/** Of a store that nobody is at work on: a server that runs has read its log, and writes to it while we look. */
export function checkWal(dataDir: string, faults: FaultList): void {
  if (isInUse(dataDir)) return;
  const fault = findWalFault(dataDir);
  if (fault === undefined || isInUse(dataDir)) return;
  const where = `sekali.db-wal, byte ${fault.offset}`;
  faults.add('wal', { where, what: `${fault.what}: acknowledged events are lost`, mend: MEND.restore });
}
