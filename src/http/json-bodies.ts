import type { FastifyReply, FastifyRequest } from 'fastify';
import { SekaliError } from '../errors.ts';
import { Admission } from '../ingest/admission.ts';
import { MEDIA_JSON, SMALL_BODY_BYTES_MAX } from '../protocol/wire.ts';
import { BodyReader } from './body.ts';
import { parseObject } from './json-object.ts';
import type { Members } from './members.ts';

/** Bodies that are read at one time. They are small and gone when they are read, and never wait for publishers to make room. */
const ROOM = { bytesMax: 64 * 1024 * 1024, requestsMax: 1024 };

/** Reads the JSON objects that requests other than publishing come with. */
export class JsonBodies {
  readonly #bodies = new BodyReader(new Admission(ROOM), SMALL_BODY_BYTES_MAX);

  /**
   * The members of the object that the body is. A body without a byte is an object without members: so `curl -X POST` is enough where
   * everything has a default.
   *
   * @throws SekaliError `media_type_unknown`, `utf8_invalid`, `json_invalid`, `subscription_invalid`, and what BodyReader does
   */
  async members(request: FastifyRequest, reply: FastifyReply): Promise<Members> {
    checkType(request.headers['content-type']);
    const { bytes, ticket } = await this.#bodies.take(request.raw, reply.raw);
    try {
      return bytes.length === 0 ? {} : parseObject(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    } finally {
      ticket.release();
    }
  }
}

function checkType(contentType = MEDIA_JSON as string): void {
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  const isUtf = parameters.every((part) => !part.startsWith('charset=') || /^charset="?utf-?8"?$/.test(part));
  if (type === MEDIA_JSON && isUtf) return;
  throw new SekaliError(
    'media_type_unknown',
    `content type ${JSON.stringify(contentType)} is not known here: use ${MEDIA_JSON}, in UTF-8`,
  );
}
