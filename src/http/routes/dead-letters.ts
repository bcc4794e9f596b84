import type { FastifyInstance } from 'fastify';
import type { DeadLetterEntry } from '../../deliver/deliveries.ts';
import { SekaliError } from '../../errors.ts';
import { formatInstant, instantOfMs } from '../../instant.ts';
import { type CountAnswer } from '../../protocol/subscriptions-wire.ts';
import { MEDIA_JSON, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '../../protocol/wire.ts';
import { integer } from '../../settings.ts';
import { printEvent } from '../../store/print-event.ts';
import { PAGE_LENGTH_MAX } from '../../store/store-reader.ts';
import type { Parts } from '../parts.ts';
import { parameter, position, readQuery } from '../query.ts';
import { releaseWhenTaken } from '../release.ts';
import { readSelection } from '../subscription-members.ts';
import { knowable, type Named, type SubscriptionParts } from './subscriptions.ts';

export const DEAD_LETTERS_PARAMETERS = {
  after: parameter(position, 0),
  limit: parameter(integer(1, PAGE_LIMIT_MAX), PAGE_LIMIT_DEFAULT),
};

/** Dead letters that are asked for at one time: a page of the largest events ends soon after {@link PAGE_LENGTH_MAX}. */
const SLICE = 16;

/** Events that were handed out as often as they may be, and are handed out no more. */
export function addDeadLettersRoutes(
  app: FastifyInstance,
  { deliveries, webhooks, answers }: Parts,
  { bodies, lines }: SubscriptionParts,
): void {
  app.get<Named>('/subscriptions/:name/dead-letters', async (request, reply) => {
    const { after, limit } = readQuery(DEAD_LETTERS_PARAMETERS, request.query);
    const { entries, next } = await readPage(knowable(request.params.name), after, limit);
    const json = `{"count":${entries.length},"dead_letters":[${entries.map(print).join(',')}],"next":${next ?? 'null'}}`;
    const ticket = answers.admit(Buffer.byteLength(json));
    if (ticket === undefined) {
      throw new SekaliError(
        'overloaded',
        'too many answers wait for their clients: ask again a little later',
      );
    }
    releaseWhenTaken(ticket, reply.raw);
    return await reply.type(MEDIA_JSON).send(json);
  });

  app.post<Named>(
    '/subscriptions/:name/dead-letters/redrive',
    async (request, reply): Promise<CountAnswer> => {
      readQuery({}, request.query);
      const name = knowable(request.params.name);
      const count = await deliveries.redrive(name, readSelection(await bodies.members(request, reply)));
      lines.ring(name);
      webhooks.changed(name);
      return { count };
    },
  );

  app.post<Named>(
    '/subscriptions/:name/dead-letters/discard',
    async (request, reply): Promise<CountAnswer> => {
      readQuery({}, request.query);
      const name = knowable(request.params.name);
      const count = await deliveries.discard(name, readSelection(await bodies.members(request, reply)));
      lines.ring(name);
      webhooks.changed(name);
      return { count };
    },
  );

  /** Ends early, as a page of events does, once its payloads are long enough. */
  async function readPage(
    name: string,
    after: number,
    limit: number,
  ): Promise<{ entries: DeadLetterEntry[]; next: number | undefined }> {
    const entries: DeadLetterEntry[] = [];
    let length = 0;
    let last = after;
    for (;;) {
      // One more than is wanted tells whether there are more.
      const wanted = Math.min(limit + 1 - entries.length, SLICE);
      const slice = await deliveries.deadLetters(name, { after: last, limit: wanted });
      for (const entry of slice) {
        if (entries.length === limit || length >= PAGE_LENGTH_MAX) return { entries, next: last };
        entries.push(entry);
        last = entry.dead.position;
        length += entry.event?.payload.length ?? 0;
      }
      if (slice.length < wanted) return { entries, next: undefined };
    }
  }
}

function print({ dead, event }: DeadLetterEntry): string {
  const { position, topic, attempts, reason, diedAtMs } = dead;
  const died_at = formatInstant(instantOfMs(diedAtMs));
  const members = JSON.stringify({ position, topic, attempts, reason, died_at });
  return `${members.slice(0, -1)},"event":${event === undefined ? 'null' : printEvent(event)}}`;
}
