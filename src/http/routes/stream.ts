import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type FeedOptions, feed } from '../../deliver/feed.ts';
import { SekaliError } from '../../errors.ts';
import { MEDIA_STREAM } from '../../protocol/wire.ts';
import { TopicFilter } from '../../topic-filter.ts';
import { EventFrames, inPieces, printPlace } from '../event-frames.ts';
import type { Parts } from '../parts.ts';
import { name, parameter, position, readQuery, topicPattern } from '../query.ts';
import { releaseWhenTaken } from '../release.ts';
import { StreamWriter, type Written } from '../stream-writer.ts';

export const STREAM_PARAMETERS = {
  topic: parameter(topicPattern, '>'),
  source: parameter(name, undefined),
  after: parameter(position, undefined),
};

/** How long a client that was cut off waits before it comes back: `retry`, in milliseconds. */
const RETRY_MS = 1000;

const HEADERS = {
  'content-type': `${MEDIA_STREAM}; charset=utf-8`,
  'cache-control': 'no-store, no-transform',
  // nginx would collect the events in its buffer.
  'x-accel-buffering': 'no',
  // What is ended is ended: a client that was too slow, or a server that stops, keeps nothing open.
  connection: 'close',
};

export function addStreamRoute(
  app: FastifyInstance,
  { config, reader, tail, answers, lifecycle }: Parts,
): void {
  const frames = new EventFrames();

  app.get('/stream', async (request, reply) => {
    const { topic, source, after } = readQuery(STREAM_PARAMETERS, request.query);
    const place = lastEventId(request) ?? after ?? (await reader.lastPosition());
    const ticket = answers.admit(0);
    if (ticket === undefined) throw new SekaliError('overloaded', 'too many streams are open');
    releaseWhenTaken(ticket, reply.raw);
    open(reply);
    if (request.method === 'HEAD') {
      reply.raw.end();
      return;
    }
    const writer = new StreamWriter(reply.raw, ticket, config.streamStallMs);
    const closed = new AbortController();
    reply.raw.once('close', () => closed.abort());
    const signal = AbortSignal.any([closed.signal, lifecycle.signal]);
    const options = { filter: new TopicFilter([topic]), source, after: place, signal };
    const who = JSON.stringify([topic, source]);
    try {
      await send(writer, options, who);
    } catch (error) {
      request.log.warn({ error, request: request.id }, 'a stream was ended, for the store could not be read');
      writer.end('');
    }
  });

  function tooSlow(writer: StreamWriter, through: number, why: Written): void {
    if (why !== 'gone') app.log.warn({ through, why }, 'a stream was ended: its client is too slow');
    writer.end(printLagged(through));
  }

  async function send(writer: StreamWriter, options: FeedOptions, who: string): Promise<void> {
    let through = options.after;
    await writer.write(`retry: ${RETRY_MS}\n${printPlace(through)}`);
    // Proxies end connections on which nothing moves. The place goes along: who comes back need not pass over all again.
    const beat = setInterval(() => {
      // Behind a chunk that is still on its way it would send the client back to before it.
      const isIdle = !writer.isWriting && writer.idleMs >= config.streamHeartbeatMs;
      if (isIdle) void writer.write(`:\n${printPlace(through)}`);
    }, config.streamHeartbeatMs / 2);
    try {
      for await (const step of feed(reader, tail, options)) {
        for (const piece of inPieces(step)) {
          const chunk = frames.of(piece, who);
          // A page of the live tail is everybody's, one from the store this stream's.
          const written = await writer.write(chunk, step.isLive ? chunk.length : step.page.text.length);
          // What is written arrives before the notice does, or neither of them does.
          if (written !== 'refused') through = piece.through;
          if (written !== 'taken') return tooSlow(writer, through, written);
        }
        through = step.through;
      }
      writer.end(printPlace(through));
    } finally {
      clearInterval(beat);
    }
  }
}

/** To a client that is too slow: nothing after this place was sent. */
function printLagged(through: number): string {
  return `event: lagged\nid: ${through}\ndata: {"after":${through}}\n\n`;
}

function open(reply: FastifyReply): void {
  reply.hijack();
  reply.raw.writeHead(200, { ...reply.getHeaders(), ...HEADERS } as Record<string, string>);
  reply.raw.flushHeaders();
  reply.raw.socket?.setNoDelay(true);
}

/** Where a client that comes back goes on (HTML Standard, section 9.2.4). It knows better than the address it comes to. */
function lastEventId({ headers }: FastifyRequest): number | undefined {
  const given = headers['last-event-id'];
  if (given === undefined || given === '') return undefined;
  const result = position.read(String(given));
  if ('value' in result) return result.value;
  throw new SekaliError('parameter_invalid', `Last-Event-ID must be ${result.rule}`, {
    parameter: 'Last-Event-ID',
  });
}
