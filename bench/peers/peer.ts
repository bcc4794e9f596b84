/** What a user would take instead. */
export interface Peer {
  readonly name: string;
  /** For how long a repeated event is recognised. */
  readonly remembers: string;
  /** Whether an acknowledged event outlives a power failure. */
  readonly durable: 'yes' | 'no' | 'within a second';
  /** How it is set up and spoken to, in a sentence. */
  readonly how: string;
  /** Batches under way at once, each on a connection of its own. */
  readonly connections: number;
  /** Share of the events that it is sent, 1 if not said: less for one that takes minutes. */
  readonly share?: number;
  /** Why it cannot be measured here; undefined when it can. */
  missing(): string | undefined;
  version(): string;
  /** On fresh data. */
  start(): Promise<RunningPeer>;
}

export interface RunningPeer {
  readonly url: string;
  /** Ends it, and removes its data. */
  stop(): Promise<void>;
}
