import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { waitForPage } from '../../deliver/wait-for-page.ts';
import { SekaliError } from '../../errors.ts';
import type { Ticket } from '../../ingest/admission.ts';
import { formatInstant } from '../../instant.ts';
import {
  MEDIA_JSON,
  MEDIA_NDJSON,
  OFFSET_MAX,
  PAGE_LIMIT_DEFAULT,
  PAGE_LIMIT_MAX,
  WAIT_S_MAX,
} from '../../protocol/wire.ts';
import { choice, integer } from '../../settings.ts';
import { printConflict, printEvent } from '../../store/print-event.ts';
import type { EventQuery, PrintedPage, StoredEvent } from '../../store/store-reader.ts';
import type { Parts } from '../parts.ts';
import { dateTime, name, parameter, position, readQuery } from '../query.ts';
import { releaseWhenTaken } from '../release.ts';

const FILTERS = {
  topic: parameter(name, undefined),
  source: parameter(name, undefined),
  from: parameter(dateTime, undefined),
  to: parameter(dateTime, undefined),
  after: parameter(position, undefined),
  before: parameter(position, undefined),
  order: parameter(choice('asc', 'desc'), 'asc' as const),
  offset: parameter(integer(0, OFFSET_MAX), 0),
  wait: parameter(integer(0, WAIT_S_MAX), 0),
};

export const PAGE_PARAMETERS = {
  ...FILTERS,
  limit: parameter(integer(1, PAGE_LIMIT_MAX), PAGE_LIMIT_DEFAULT),
};

export const LINES_PARAMETERS = {
  ...FILTERS,
  limit: parameter(integer(1, Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER),
};

/** Conflicts of one key that are shown with its event. */
export const CONFLICTS_SHOWN = 100;

export function addEventsRoutes(
  app: FastifyInstance,
  { reader, stored, queue, answers, lifecycle }: Parts,
): void {
  app.get('/events', async (request, reply) => {
    reply.header('vary', [reply.getHeader('vary') ?? [], 'accept'].flat().join(', '));
    if (acceptsLines(request.headers.accept)) return await streamEvents(request, reply);
    const json = printAnswer(await readPage(request, reply));
    const ticket = answers.admit(json.length);
    if (ticket === undefined) throw tooManyAnswers();
    releaseWhenTaken(ticket, reply.raw);
    return await reply.type(`${MEDIA_JSON}; charset=utf-8`).send(json);
  });

  app.get<{ Params: { topic: string; event_id: string } }>(
    '/events/:topic/:event_id',
    async (request, reply) => {
      readQuery({}, request.query);
      const { topic, event_id } = request.params;
      const event = await findEvent(topic, event_id);
      const conflicts = await reader.conflicts({ topic, event_id, limit: CONFLICTS_SHOWN });
      const receipt = {
        verdict: 'stored',
        position: event.position,
        first_seen_at: formatInstant(event.processed_at),
      };
      const json = `${printEvent(event).slice(0, -1)},"receipt":${JSON.stringify(receipt)},"conflicts":[${conflicts.map(printConflict).join(',')}]}`;
      return await reply.type(MEDIA_JSON).send(json);
    },
  );

  async function readPage(request: FastifyRequest, reply: FastifyReply): Promise<PrintedPage> {
    const { wait, ...query } = readQuery(PAGE_PARAMETERS, request.query);
    if (wait === 0) return await reader.printed({ ...query, printing: 'items' });
    if (query.order === 'desc') throw noWait('what is new comes at the end of order=asc');
    const closed = new AbortController();
    reply.raw.once('close', () => closed.abort());
    const signal = AbortSignal.any([AbortSignal.timeout(1000 * wait), closed.signal, lifecycle.signal]);
    return await waitForPage(reader, stored, query, signal);
  }

  async function findEvent(topic: string, eventId: string): Promise<StoredEvent> {
    const position = await queue.find(topic, eventId);
    const event = position === undefined ? undefined : await reader.eventAt(position);
    if (event !== undefined) return event;
    const name = `event ${JSON.stringify(eventId)}`;
    const where = JSON.stringify(topic);
    // A key of a commit that has just failed has a position too, but one that is not there yet: it was never stored.
    if (position === undefined || position > (await reader.lastPosition())) {
      throw new SekaliError('event_unknown', `no ${name} is known in ${where}`);
    }
    throw new SekaliError(
      'event_retired',
      `${name} was stored in ${where} at position ${position}, and retention has removed it`,
      { position },
    );
  }

  async function streamEvents(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { limit, wait, ...filters } = readQuery(LINES_PARAMETERS, request.query);
    if (wait > 0) throw noWait('lines end with what is there: GET /stream goes on');
    reply.type(MEDIA_NDJSON);
    // Fastify would read the whole stream to answer with its headers.
    if (request.method === 'HEAD') return await reply.send(Readable.from([]));
    // What is stored while the answer runs is not part of it: else it might never end.
    const end = (await reader.lastPosition()) + 1;
    const before = Math.min(filters.before ?? end, end);
    const ticket = answers.admit(0);
    if (ticket === undefined) throw tooManyAnswers();
    releaseWhenTaken(ticket, reply.raw);
    return await reply.send(
      Readable.from(lines({ ...filters, before, limit }, ticket, reply), { objectMode: false }),
    );
  }

  /** A chunk of lines at a time, read when the client has taken the one before. Where little matches, nothing else tells that it has gone. */
  async function* lines(query: EventQuery, ticket: Ticket, { raw }: FastifyReply): AsyncGenerator<Buffer> {
    let left = query.limit;
    let next: EventQuery = query;
    while (left > 0 && !raw.destroyed) {
      const page = await reader.printed({
        ...next,
        limit: Math.min(left, PAGE_LIMIT_MAX),
        printing: 'lines',
      });
      const chunk = Buffer.from(page.text.buffer, page.text.byteOffset, page.text.length);
      // Two chunks at most are there at once: the one that is being sent, and the one that waits for it.
      if (!ticket.resize(2 * chunk.length)) throw tooManyAnswers();
      if (chunk.length > 0) yield chunk;
      if (page.next === undefined) return;
      left -= page.positions.length;
      const cursor = query.order === 'asc' ? { after: page.next } : { before: page.next };
      next = { ...next, ...cursor, offset: 0 };
    }
  }
}

function printAnswer({ text, positions, next }: PrintedPage): Buffer {
  return Buffer.concat([
    Buffer.from(`{"count":${positions.length},"events":[`),
    // Without the comma behind the last one.
    text.subarray(0, -1),
    Buffer.from(`],"next":${next ?? 'null'}}`),
  ]);
}

function noWait(why: string): SekaliError {
  return new SekaliError('parameter_invalid', `wait must be 0 here: ${why}`, { parameter: 'wait' });
}

function tooManyAnswers(): SekaliError {
  return new SekaliError('overloaded', 'too many answers wait for their clients: ask again a little later');
}

function acceptsLines(accept = ''): boolean {
  return accept.split(',').some((part) => part.split(';', 1)[0]?.trim().toLowerCase() === MEDIA_NDJSON);
}
