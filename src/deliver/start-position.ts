import { SekaliError } from '../errors.ts';
import type { Start } from './deliveries.ts';
import type { DeliveryReader } from './delivery-reader.ts';

type Reader = Pick<DeliveryReader, 'eventAt' | 'lastPosition' | 'positionBefore'>;

/**
 * The cursor that a start means now: what is handed out first lies above it.
 *
 * @param member what the caller calls the start
 * @throws SekaliError `subscription_invalid` for a position beyond the last
 */
export async function startPosition(reader: Reader, start: Start, member: 'start' | 'to'): Promise<number> {
  if (start.kind === 'earliest') return 0;
  if (start.kind === 'latest') return await reader.lastPosition();
  if (start.kind === 'time') return await reader.positionBefore(start.sinceMs);
  const { after } = start;
  const last = await reader.lastPosition();
  if (after <= last || (await isStored(reader, after))) return after;
  throw new SekaliError(
    'subscription_invalid',
    `${member}.after must be at most the last position, ${last}, not ${after}: events that get the positions up to there would be passed over`,
    { member: `${member}.after` },
  );
}

/** While another group of events commits, one that has its receipt may lie beyond the last position for a moment. */
async function isStored(reader: Reader, position: number): Promise<boolean> {
  return (await reader.eventAt(position)) !== undefined;
}
