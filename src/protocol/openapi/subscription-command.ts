import { MEDIA_JSON } from '../wire.ts';
import type { Operation, Parameter, PathItem, Schema } from './document.ts';
import { type AnsweredCode, problems } from './problem.ts';
import { ref } from './schema.ts';

export const subscriptionName: Parameter = {
  name: 'name',
  in: 'path',
  required: true,
  description: 'Of the subscription; percent-encoded, a `/` too.',
  schema: ref('Name'),
  example: 'billing',
};

/** What a request about a subscription with a body may be refused with. */
export const BODY_CODES = [
  'json_invalid',
  'utf8_invalid',
  'encoding_invalid',
  'origin_refused',
  'subscription_unknown',
  'request_timeout',
  'body_too_large',
  'media_type_unknown',
  'encoding_unknown',
  'subscription_invalid',
  'overloaded',
  'store_unavailable',
] as const;

/** A POST about a subscription, with the request and the answer that stand in the examples. */
export function command({
  schema,
  request,
  answerSchema,
  shown,
  isBodyRequired = true,
  furtherCodes = [],
  ...operation
}: Pick<Operation, 'operationId' | 'summary' | 'description'> & {
  readonly schema: Schema;
  readonly request: unknown;
  readonly answerSchema: Schema;
  readonly shown: unknown;
  readonly isBodyRequired?: boolean;
  readonly furtherCodes?: readonly AnsweredCode[];
}): PathItem {
  return {
    post: {
      ...operation,
      tags: ['Subscribe'],
      parameters: [subscriptionName],
      requestBody: {
        required: isBodyRequired,
        description: 'At most 2 MiB.',
        content: {
          [MEDIA_JSON]: { schema, examples: { example: { summary: 'Example', value: request } } },
        },
      },
      responses: {
        200: {
          description: 'It was done.',
          content: { [MEDIA_JSON]: { schema: answerSchema, examples: { example: { value: shown } } } },
        },
        ...problems(...BODY_CODES, ...furtherCodes),
      },
    },
  };
}
