import { SekaliError } from '../errors.ts';

/** What a put is answered with whose condition does not hold. */
export function subscriptionChanged(name: string): SekaliError {
  return new SekaliError(
    'subscription_changed',
    `the subscription ${JSON.stringify(name)} is not as If-Match or If-None-Match requires: look at it again`,
  );
}
