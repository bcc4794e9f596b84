import type { CommitGroup, Receipts, Store } from '../../src/store/store.ts';
import type { Counters, StoreReader } from '../../src/store/store-reader.ts';

/** Another store, in all but what a subclass changes. */
export class PassingStore implements Store {
  protected readonly store: Store;
  constructor(store: Store) {
    this.store = store;
  }
  get secrets() {
    return this.store.secrets;
  }
  append(group: CommitGroup): Promise<Receipts> {
    return this.store.append(group);
  }
  find(topic: string, eventId: string): Promise<number | undefined> {
    return this.store.find(topic, eventId);
  }
  keyStats() {
    return this.store.keyStats();
  }
  events(...query: Parameters<StoreReader['events']>) {
    return this.store.events(...query);
  }
  printed(...query: Parameters<StoreReader['printed']>) {
    return this.store.printed(...query);
  }
  eventAt(position: number) {
    return this.store.eventAt(position);
  }
  eventsAt(positions: readonly number[]) {
    return this.store.eventsAt(positions);
  }
  countEvents(...query: Parameters<StoreReader['countEvents']>) {
    return this.store.countEvents(...query);
  }
  sequences(...query: Parameters<StoreReader['sequences']>) {
    return this.store.sequences(...query);
  }
  positionBefore(timeMs: number) {
    return this.store.positionBefore(timeMs);
  }
  lastPosition() {
    return this.store.lastPosition();
  }
  topics(...page: Parameters<StoreReader['topics']>) {
    return this.store.topics(...page);
  }
  counters(): Promise<Counters> {
    return this.store.counters();
  }
  conflicts(...query: Parameters<StoreReader['conflicts']>) {
    return this.store.conflicts(...query);
  }
  close(): Promise<void> {
    return this.store.close();
  }
}
