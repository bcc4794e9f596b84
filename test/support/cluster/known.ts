import type { PublishAnswer, WireEvent, WireReceipt } from '../../../src/client/index.ts';

export type Ack = 'queued' | 'stored';

/** What the publishers know all together, and what they have found to be wrong. */
export class Known {
  /** All contents that were sent for a key, acknowledged or not. */
  readonly sent = new Map<string, Set<string>>();
  /** Where receipts say that a key is. */
  readonly positions = new Map<string, number>();
  /** What receipts say of contents: that of the first event, and others. */
  readonly first = new Map<string, string>();
  readonly conflicting = new Map<string, Set<string>>();
  /** Receipts that say of a key that it was stored. */
  readonly storedCounts = new Map<string, number>();
  readonly problems: string[] = [];
  /** Events of requests that were acknowledged, and of all that were sent, retries included. */
  acknowledgedEvents = 0;
  sentEvents = 0;
  acknowledgedBatches = 0;
  /** Answers 503 or 429, and requests without an answer. */
  refusals = 0;
  hangUps = 0;

  send(events: readonly WireEvent[]): void {
    this.sentEvents += events.length;
    for (const event of events) add(this.sent, keyOf(event), contentOf(event));
  }

  acknowledge(events: readonly WireEvent[], ack: Ack, answer: PublishAnswer): void {
    this.acknowledgedBatches++;
    this.acknowledgedEvents += events.length;
    const { count, accepted, queued, processed, duplicates, conflicts, results } = answer;
    const told = (processed ?? 0) + (duplicates ?? 0) + (conflicts ?? 0) + queued;
    this.hold(
      count === events.length && accepted === count && told === count,
      'an answer that does not add up',
      answer,
    );
    this.hold(queued === (ack === 'queued' ? count : 0), `an answer to ack=${ack}`, answer);
    for (const receipt of results ?? []) this.#receive(events[receipt.index]!, receipt);
  }

  hold(holds: boolean, problem: string, what?: unknown): void {
    if (!holds) this.problems.push(what === undefined ? problem : `${problem}: ${JSON.stringify(what)}`);
  }

  #receive(event: WireEvent, receipt: WireReceipt): void {
    const key = keyOf(event);
    const content = contentOf(event);
    const before = this.positions.get(key);
    this.hold(before === undefined || before === receipt.position, `${key} was at ${before}`, receipt);
    this.positions.set(key, receipt.position ?? -1);
    if (receipt.verdict === 'conflict') {
      add(this.conflicting, key, content);
      return;
    }
    const first = this.first.get(key);
    this.hold(first === undefined || first === content, `${key} had the content ${first}`, receipt);
    this.first.set(key, content);
    this.hold(receipt.verdict !== 'rejected', 'an event is rejected', receipt);
    if (receipt.verdict !== 'stored') return;
    const times = (this.storedCounts.get(key) ?? 0) + 1;
    this.storedCounts.set(key, times);
    this.hold(times === 1, `${key} was stored ${times} times`);
  }
}

export function keyOf({ topic, event_id }: Pick<WireEvent, 'topic' | 'event_id'>): string {
  return JSON.stringify([topic, event_id]);
}

export function contentOf({ payload }: Pick<WireEvent, 'payload'>): string {
  return JSON.stringify(payload);
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, new Set([value]));
  else values.add(value);
}
