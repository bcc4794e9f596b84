import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Fetched } from '../../deliver/deliveries.ts';
import { SekaliError } from '../../errors.ts';
import {
  FETCH_DEFAULT,
  FETCH_MAX,
  FETCH_WAIT_MS_MAX,
  LEASE_REFUSALS,
  type SettledAnswer,
} from '../../protocol/subscriptions-wire.ts';
import { MEDIA_JSON } from '../../protocol/wire.ts';
import { printEvent } from '../../store/print-event.ts';
import type { LeaseRef, Settled } from '../../store/subscription-store.ts';
import { optional, readMembers, whole } from '../members.ts';
import type { Parts } from '../parts.ts';
import { readQuery } from '../query.ts';
import { releaseWhenTaken } from '../release.ts';
import { readLeases, readNack } from '../subscription-members.ts';
import { knowable, type Named, type SubscriptionParts } from './subscriptions.ts';

const FETCH = {
  max: optional(whole(1, FETCH_MAX), FETCH_DEFAULT),
  wait_ms: optional(whole(0, FETCH_WAIT_MS_MAX), 0),
};

/** What consumers do: they take events for a time, and say what became of them. */
export function addLeasesRoutes(
  app: FastifyInstance,
  { deliveries, answers, lifecycle }: Parts,
  { bodies, lines }: SubscriptionParts,
): void {
  app.post<Named>('/subscriptions/:name/fetch', async (request, reply) => {
    readQuery({}, request.query);
    const name = knowable(request.params.name);
    const { max, wait_ms } = readMembers(FETCH, await bodies.members(request, reply));
    // Looked at first: what is given back for want of room has been handed out once more.
    const ticket = answers.isFull ? undefined : answers.admit(0);
    if (ticket === undefined) throw tooManyAnswers();
    releaseWhenTaken(ticket, reply.raw);
    const fetched = await lines.fetch(name, { eventsMax: max, ...patience(reply, wait_ms) });
    const json = printFetched(fetched);
    if (!ticket.resize(Buffer.byteLength(json))) {
      await lines.giveBack(name, fetched);
      throw tooManyAnswers();
    }
    return await reply.type(MEDIA_JSON).send(json);
  });

  app.post<Named>('/subscriptions/:name/ack', async (request, reply): Promise<SettledAnswer> => {
    readQuery({}, request.query);
    const name = knowable(request.params.name);
    const leases = readLeases(await bodies.members(request, reply));
    return answer(name, leases, await deliveries.ack(name, leases));
  });

  app.post<Named>('/subscriptions/:name/nack', async (request, reply): Promise<SettledAnswer> => {
    readQuery({}, request.query);
    const name = knowable(request.params.name);
    const { leases, ...options } = readNack(await bodies.members(request, reply));
    return answer(name, leases, await deliveries.nack(name, leases, options));
  });

  app.post<Named>('/subscriptions/:name/extend', async (request, reply): Promise<SettledAnswer> => {
    readQuery({}, request.query);
    const name = knowable(request.params.name);
    const leases = readLeases(await bodies.members(request, reply));
    return answer(name, leases, await deliveries.extend(name, leases));
  });

  /** How long one who fetches stands in line. */
  function patience(reply: FastifyReply, waitMs: number): { enough: AbortSignal; gone: AbortSignal } {
    const gone = new AbortController();
    if (reply.raw.closed) gone.abort();
    else reply.raw.once('close', () => gone.abort());
    const enough =
      waitMs === 0 ? AbortSignal.abort() : AbortSignal.any([AbortSignal.timeout(waitMs), lifecycle.signal]);
    return { enough, gone: gone.signal };
  }

  // An event that is settled makes room in flight, and in its topic where there is an order.
  function answer(name: string, leases: readonly LeaseRef[], settled: readonly Settled[]): SettledAnswer {
    lines.ring(name);
    return printSettled(leases, settled);
  }
}

/** Payloads go in as the text they came as. */
function printFetched({ lease, leaseMs, events }: Fetched): string {
  const printed = events.map(
    ({ event, attempt }) => `${printEvent(event).slice(0, -1)},"attempt":${attempt}}`,
  );
  const named = events.length === 0 ? 'null' : JSON.stringify(lease);
  return `{"count":${events.length},"lease":${named},"lease_ms":${leaseMs},"events":[${printed.join(',')}]}`;
}

function printSettled(leases: readonly LeaseRef[], settled: readonly Settled[]): SettledAnswer {
  const refused = leases.flatMap(({ position }, i) => {
    const outcome = settled[i] ?? 'lease_stale';
    return outcome === 'done' ? [] : [{ position, code: outcome, detail: LEASE_REFUSALS[outcome] }];
  });
  return { counted: leases.length - refused.length, refused };
}

function tooManyAnswers(): SekaliError {
  return new SekaliError('overloaded', 'too many answers wait for their clients: ask again a little later');
}
