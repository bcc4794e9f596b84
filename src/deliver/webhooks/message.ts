import { createHash, createHmac } from 'node:crypto';
import type { StoredEvent } from '../../store/store-reader.ts';

/**
 * The `webhook-id` of an event for a subscription: the same each time it is sent, and of no other event. Its place alone is not enough:
 * after a backup was restored another event may have it, which a receiver would take for one that it has seen.
 */
export function messageId(
  subscription: string,
  { position, topic, event_id }: Pick<StoredEvent, 'position' | 'topic' | 'event_id'>,
): string {
  const text = JSON.stringify([subscription, position, topic, event_id]);
  return `msg_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

/**
 * Standard Webhooks, "Signature scheme": HMAC-SHA256 over id, time and body with dots between them; one signature for each secret.
 *
 * @param secrets `whsec_` and base64
 * @param timestamp seconds since the epoch
 */
export function signatures(secrets: readonly string[], id: string, timestamp: number, body: string): string {
  const signed = `${id}.${timestamp}.${body}`;
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
      return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
    })
    .join(' ');
}
