import type { FastifyInstance } from 'fastify';
import type { RotateSecretAnswer } from '../../protocol/subscriptions-wire.ts';
import type { Parts } from '../parts.ts';
import { readQuery } from '../query.ts';
import { readRotation } from '../webhook-members.ts';
import { knowable, type Named, type SubscriptionParts } from './subscriptions.ts';

/** What is to be done about the webhook of a subscription; PUT of the subscription makes and enables it. */
export function addWebhooksRoutes(
  app: FastifyInstance,
  { webhooks }: Parts,
  { bodies }: SubscriptionParts,
): void {
  app.post<Named>(
    '/subscriptions/:name/webhook/rotate-secret',
    async (request, reply): Promise<RotateSecretAnswer> => {
      readQuery({}, request.query);
      const name = knowable(request.params.name);
      const { overlapMs } = readRotation(await bodies.members(request, reply));
      return { secret: await webhooks.rotateSecret(name, overlapMs), overlap_ms: overlapMs };
    },
  );
}
