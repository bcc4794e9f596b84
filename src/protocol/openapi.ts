import type { EventLimits } from '../event.ts';
import { deadLetterPaths, deadLetterSchemas } from './openapi/dead-letters.ts';
import type { OpenApi } from './openapi/document.ts';
import { eventSchemas } from './openapi/event.ts';
import { eventsPaths, eventsSchemas } from './openapi/events.ts';
import { gapsPaths, gapsSchemas } from './openapi/gaps.ts';
import { leasePaths, leaseSchemas } from './openapi/leases.ts';
import { problemSchemas, problems } from './openapi/problem.ts';
import { publishPaths, publishSchemas } from './openapi/publish.ts';
import type { NamedSchemas, SchemaName } from './openapi/schema.ts';
import { statePaths, stateSchemas } from './openapi/state.ts';
import { subscriptionSchemas } from './openapi/subscription-schemas.ts';
import { subscriptionPaths } from './openapi/subscriptions.ts';
import { topicsPaths, topicsSchemas } from './openapi/topics.ts';
import { webhookPaths, webhookSchemas } from './openapi/webhooks.ts';
import { MEDIA_JSON } from './wire.ts';

/** What the description tells of the server that serves it. */
export interface ApiFacts extends EventLimits {
  readonly version: string;
  readonly bodyBytesMax: number;
}

/** The OpenAPI 3.1 description of the HTTP contract, with the limits that this server has. PROTOCOL.md says it in words. */
export function describeApi(facts: ApiFacts): OpenApi {
  const schemas: NamedSchemas<SchemaName> = {
    ...eventSchemas(facts),
    ...publishSchemas,
    ...eventsSchemas,
    ...topicsSchemas,
    ...gapsSchemas,
    ...subscriptionSchemas,
    ...leaseSchemas,
    ...deadLetterSchemas,
    ...webhookSchemas,
    ...stateSchemas,
    ...problemSchemas,
  };
  return {
    openapi: '3.1.1',
    info: {
      title: 'Sekali',
      version: facts.version,
      summary: 'A durable log of events that keeps each (topic, event_id) exactly once.',
      description: INTRODUCTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'This server.' }],
    tags: [
      { name: 'Publish', description: 'Hand in events, as often as it takes.' },
      { name: 'Read', description: 'Read what is stored.' },
      { name: 'Subscribe', description: 'Have events handed out, each until it is acknowledged.' },
      { name: 'State', description: 'Counters, and what is under way.' },
      { name: 'Health', description: 'For probes: without a key.' },
      { name: 'Documentation', description: 'This description.' },
    ],
    security: [{ bearer: [] }, { basic: [] }],
    paths: {
      ...publishPaths(facts.bodyBytesMax, facts.eventsMax),
      ...eventsPaths,
      ...topicsPaths,
      ...gapsPaths,
      ...subscriptionPaths,
      ...leasePaths,
      ...deadLetterPaths,
      ...webhookPaths,
      ...statePaths,
      ...docsPaths,
    },
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The API key, if the server has one.' },
        basic: {
          type: 'http',
          scheme: 'basic',
          description: 'The API key as the password; the user name does not count.',
        },
      },
    },
  };
}

const INTRODUCTION = `Publishers that retry hand events in; readers get each of them once. An event is known by its \`topic\` and \`event_id\`, for ever unless the operator has set a dedup window.

Every address that takes GET takes HEAD too. An unknown parameter, or one that is given twice, is refused. Errors are \`application/problem+json\`, with a \`code\` that does not change: \`route_unknown\` (404) and \`method_refused\` (405, with \`Allow\`) are those of no particular address.`;

const docsPaths: OpenApi['paths'] = {
  '/openapi.json': {
    get: {
      operationId: 'readDescription',
      tags: ['Documentation'],
      summary: 'Read this description',
      description: 'For programs: OpenAPI 3.1.',
      responses: {
        200: { description: 'The description.', content: { [MEDIA_JSON]: { schema: { type: 'object' } } } },
        ...problems(),
      },
    },
  },
  '/docs': {
    get: {
      operationId: 'readDocs',
      tags: ['Documentation'],
      summary: 'Read this page',
      description: 'The same for people.',
      responses: {
        200: { description: 'A page.', content: { 'text/html': { schema: { type: 'string' } } } },
        ...problems(),
      },
    },
  },
};
