import { SekaliError } from '../errors.ts';

/** What a put or a removal is answered with whose condition does not hold. */
export function subscriptionChanged(name: string): SekaliError {
  return new SekaliError(
    'subscription_changed',
    `the subscription ${JSON.stringify(name)} is not as If-Match or If-None-Match requires: look at it again`,
  );
}

/** What a fetch by a definition is refused with that is not there any more: no condition of a request is at fault. */
export function definitionReplaced(name: string): SekaliError {
  return new SekaliError(
    'subscription_changed',
    `the subscription ${JSON.stringify(name)} has another definition by now than the one that its events are fetched by: look at it again`,
  );
}
