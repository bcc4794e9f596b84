import type { FastifyInstance } from 'fastify';
import type { Restart } from '../../deliver/gaps/course.ts';
import { GapFinder } from '../../deliver/gaps/gap-finder.ts';
import type { Gap } from '../../deliver/gaps/gap-list.ts';
import type { PublisherGaps } from '../../deliver/gaps/gap-tracker.ts';
import { formatInstant } from '../../instant.ts';
import type { GapsAnswer, WireGap, WirePublisherGaps, WireRestart } from '../../protocol/gaps-wire.ts';
import { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '../../protocol/wire.ts';
import { integer } from '../../settings.ts';
import type { Parts } from '../parts.ts';
import { name, parameter, position, readQuery } from '../query.ts';

export const GAPS_PARAMETERS = {
  topic: parameter(name, undefined),
  source: parameter(name, undefined),
  after: parameter(position, 0),
  limit: parameter(integer(1, PAGE_LIMIT_MAX), PAGE_LIMIT_DEFAULT),
};

/** Time to catch up with what is stored; then the answer tells what is known by then. */
const CATCH_UP_MS = 3000;

export function addGapsRoute(app: FastifyInstance, { reader, lifecycle }: Parts): void {
  const finder = new GapFinder(reader);
  app.get('/gaps', async (request, reply): Promise<GapsAnswer> => {
    const query = readQuery(GAPS_PARAMETERS, request.query);
    const closed = new AbortController();
    reply.raw.once('close', () => closed.abort());
    const signal = AbortSignal.any([AbortSignal.timeout(CATCH_UP_MS), closed.signal, lifecycle.signal]);
    const { publishers, through, isComplete, next } = await finder.find(query, signal);
    return {
      count: publishers.length,
      publishers: publishers.map(toPublisher),
      through,
      complete: isComplete,
      next: next ?? null,
    };
  });
}

function toPublisher(of: PublisherGaps): WirePublisherGaps {
  return {
    topic: of.topic,
    source: of.source,
    events: of.events,
    first_position: of.firstPosition,
    last_position: of.lastPosition,
    first_sequence: of.first,
    highest_sequence: of.highest,
    missing: of.missing,
    gap_count: of.gapCount,
    gaps: of.gaps.map(toGap),
    forgotten: of.forgotten,
    out_of_order: of.outOfOrder,
    repeated: of.repeated,
    restart_count: of.restartCount,
    restarts: of.restarts.map(toRestart),
  };
}

function toGap({ from, to, position, processed_at }: Gap): WireGap {
  return { from, to, position, processed_at: formatInstant(processed_at) };
}

function toRestart({ sequence, after, position, processed_at }: Restart): WireRestart {
  return { sequence, after, position, processed_at: formatInstant(processed_at) };
}
