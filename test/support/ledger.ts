import assert from 'node:assert/strict';
import type { StatsAnswer, WireEvent, WireStoredEvent } from '../../src/client/index.ts';
import { RequestError, type Sekali } from '../../src/client/index.ts';

/** What a publisher knows: every event it has sent, and where the server said that it is. */
export class Ledger {
  readonly sent = new Map<string, WireEvent>();
  /** Position told for an event that was acknowledged. */
  readonly acknowledged = new Map<string, number>();

  /**
   * Publishes events and books the answer. A failure leaves them unacknowledged: they may be stored or not.
   *
   * @returns whether an answer came
   */
  async publish(client: Sekali, events: readonly WireEvent[]): Promise<boolean> {
    for (const event of events) this.sent.set(keyOf(event), event);
    try {
      const { results = [] } = await client.publish(events, { results: 'all' });
      for (const { topic, event_id, position, verdict } of results) {
        assert.ok(verdict === 'stored' || verdict === 'duplicate', `${event_id} is a ${verdict}`);
        const key = keyOf({ topic: topic ?? '', event_id: event_id ?? '' });
        const before = this.acknowledged.get(key);
        assert.ok(
          before === undefined || before === position,
          `${key} was at ${before}, and is at ${position} now`,
        );
        this.acknowledged.set(key, position ?? 0);
      }
      return true;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return false;
    }
  }

  /** Sends again what is not acknowledged yet. */
  async settle(client: Sekali): Promise<void> {
    const open = [...this.sent].filter(([key]) => !this.acknowledged.has(key)).map(([, event]) => event);
    for (let at = 0; at < open.length; at += 500) {
      assert.ok(await this.publish(client, open.slice(at, at + 500)), 'a retry must be answered');
    }
  }

  /** Holds what the server has against the invariants: nothing acknowledged is lost, nothing is there twice. */
  async check(client: Sekali): Promise<StatsAnswer> {
    const events = await readAll(client);
    const found = new Map(events.map((event) => [keyOf(event), event]));
    assert.equal(found.size, events.length, 'a key is there twice');
    events.forEach((event, i) => assert.equal(event.position, i + 1, 'positions have a gap or a repeat'));
    for (const [key, position] of this.acknowledged) {
      assert.equal(found.get(key)?.position, position, `acknowledged at ${position}: ${key}`);
      assert.deepEqual(found.get(key)?.payload, this.sent.get(key)?.payload);
    }
    for (const key of found.keys()) assert.ok(this.sent.has(key), `nobody sent ${key}`);

    const stats = await client.stats();
    const { received, unique_processed, duplicate_dropped, queued, dead_lettered } = stats;
    assert.equal(received, unique_processed + duplicate_dropped + queued + dead_lettered);
    assert.equal(unique_processed, events.length);
    assert.equal(stats.conflicts, 0);
    return stats;
  }
}

export async function readAll(client: Sekali): Promise<WireStoredEvent[]> {
  const text = await new Response(await client.eventLines()).text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as WireStoredEvent);
}

function keyOf({ topic, event_id }: Pick<WireEvent, 'topic' | 'event_id'>): string {
  return JSON.stringify([topic, event_id]);
}
