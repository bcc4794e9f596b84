import type { WireEvent } from '../protocol/wire.ts';
import { ClientError } from './client-error.ts';
import type { ClientClock } from './options.ts';
import type { Draft, StandardIssue, StandardSchema } from './topics.ts';
import { UuidMaker } from './uuid.ts';

type SchemaMap = Readonly<Record<string, StandardSchema<unknown> | undefined>>;

/** Makes a draft a whole event, once: every attempt then sends the same. */
export class EventMaker {
  readonly #source: string | undefined;
  readonly #schemas: SchemaMap;
  readonly #clock: ClientClock;
  readonly #uuids: UuidMaker;

  constructor(source: string | undefined, schemas: SchemaMap = {}, clock: ClientClock) {
    this.#source = source;
    this.#schemas = schemas;
    this.#clock = clock;
    this.#uuids = new UuidMaker(() => clock.nowMs());
  }

  /**
   * @throws ClientError `payload_invalid` when the topic's schema refuses the payload, `option_invalid` when neither the event
   *   nor the client names a source
   */
  async make(topic: string, draft: Draft<unknown>): Promise<WireEvent> {
    const { event_id = this.#uuids.next(), timestamp, source = this.#source, sequence } = draft;
    if (source === undefined) {
      throw new ClientError('option_invalid', 'an event needs a source: name one in it or in the client');
    }
    // The time and the id are those of the call, whatever time a validator takes.
    const when = timestamp ?? new Date(this.#clock.nowMs());
    const schema = Object.hasOwn(this.#schemas, topic) ? this.#schemas[topic] : undefined;
    const payload = schema === undefined ? draft.payload : await validated(topic, schema, draft.payload);
    return {
      topic,
      event_id,
      timestamp: typeof when === 'string' ? when : when.toISOString(),
      source,
      payload: payload as Record<string, unknown>,
      ...(sequence !== undefined && { sequence }),
    };
  }
}

async function validated(topic: string, schema: StandardSchema<unknown>, payload: unknown): Promise<unknown> {
  const result = await schema['~standard'].validate(payload);
  if (result.issues === undefined) return result.value;
  const told = result.issues.map(printIssue).join('; ');
  throw new ClientError('payload_invalid', `the payload is none of topic ${JSON.stringify(topic)}: ${told}`, {
    details: result.issues,
  });
}

function printIssue({ message, path = [] }: StandardIssue): string {
  const place = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return place === '' ? message : `${place}: ${message}`;
}
