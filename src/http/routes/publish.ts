import type { FastifyInstance } from 'fastify';
import { SekaliError } from '../../errors.ts';
import type { BodyFormat } from '../../ingest/decode.ts';
import { MEDIA_JSON, PUBLISH_MEDIA } from '../../protocol/wire.ts';
import { choice, toggle } from '../../settings.ts';
import { BodyReader } from '../body.ts';
import type { Parts } from '../parts.ts';
import { parameter, readQuery } from '../query.ts';
import { releaseWhenTaken } from '../release.ts';

export const PUBLISH_PARAMETERS = {
  atomic: parameter(toggle, false),
  ack: parameter(choice('stored', 'queued'), 'queued'),
  results: parameter(choice('all', 'errors'), 'errors'),
};

export function addPublishRoute(app: FastifyInstance, { config, admission, queue, backlog }: Parts): void {
  const bodies = new BodyReader(admission, config.bodyBytesMax);

  app.post('/publish', async (request, reply) => {
    const { atomic, results, ack } = readQuery(PUBLISH_PARAMETERS, request.query);
    const format = formatOf(request.headers['content-type']);
    const receipts = results === 'all';
    // Only the store knows verdicts, so whoever asks for them waits for it, and so does all or nothing, whose answer tells that
    // it was all: more than `queued` asks for. Without a queue server there is no other way.
    const lane = backlog && ack === 'queued' && !atomic && !receipts ? 'queued' : 'stored';
    queue.check(lane);
    const { bytes, ticket } = await bodies.take(request.raw, reply.raw);
    try {
      const json = await queue.commit({ lane, body: bytes, format, atomic, receipts });
      ticket.resize(Buffer.byteLength(json)); // larger or not, it is there now
      return await reply.type(MEDIA_JSON).send(json);
    } finally {
      releaseWhenTaken(ticket, reply.raw);
    }
  });
}

/** A body without a content type is taken for JSON. */
function formatOf(contentType = MEDIA_JSON as string): BodyFormat {
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  const known = Object.entries(PUBLISH_MEDIA).find(([name]) => name === type);
  const charset = parameters
    .find((part) => part.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  if (known && (charset === undefined || charset === 'utf-8' || charset === 'utf8')) return known[1];
  throw new SekaliError(
    'media_type_unknown',
    `content type ${JSON.stringify(contentType)} is not known: use ${Object.keys(PUBLISH_MEDIA).slice(0, 2).join(' or ')}, in UTF-8`,
  );
}
