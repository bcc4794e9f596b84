import type { WireStoredEvent } from '../protocol/wire.ts';
import type { FailureOptions, PlannedFailure } from './failure-options.ts';

/** A Sekali for a test: everything that is behind its URL is that of a server, but for the disk. */
export interface TestSekali extends AsyncDisposable {
  /** Where it listens, as `http://127.0.0.1:41234`. */
  readonly url: string;

  /**
   * What is stored, oldest first, as `GET /events` gives it, and parsed: of a topic, of the topics of a pattern (`orders.*`,
   * `orders.>`), or all of it.
   *
   * @throws TypeError for a topic that breaks a rule
   */
  events(topic?: string): Promise<WireStoredEvent[]>;

  /**
   * Makes the next requests fail, one unless it says otherwise: those that come from now on, of any client.
   *
   * @throws TypeError that names the member and the rule it breaks
   */
  failNext(failure?: FailureOptions): PlannedFailure;

  /**
   * Lets go of everything: events, keys, counters, conflicts, subscriptions, and failures that were asked for and have not come.
   * Positions go on, so that streams that are open go on too.
   *
   * Publishes that have come to the server by then end first, and go with the rest; one whose body is still not there after a second is
   * not waited for. What a client has not sent yet is stored afterwards.
   */
  clear(): Promise<void>;

  /** Ends it, as a server ends; whoever waits is told to come back. A second call waits for the first. */
  stop(): Promise<void>;
}

/**
 * Settings of the server, by the names and with the rules of docs/reference/configuration.md; bytes also as `16MiB`. Nothing is read of
 * the environment.
 */
export interface TestSekaliOptions {
  /** On 127.0.0.1; 0, which takes a free one, when absent. */
  readonly port?: number | undefined;
  /** Without one, nobody needs a key. */
  readonly apiKey?: string | undefined;
  readonly corsOrigins?: readonly string[] | undefined;
  readonly bodyBytesMax?: number | string | undefined;
  readonly eventBytesMax?: number | string | undefined;
  readonly eventsMax?: number | undefined;
  readonly depthMax?: number | undefined;
  /** How long keys are known, by topic, as `{ 'orders.*': '24h' }`; until they are cleared, when absent. */
  readonly dedupWindow?: string | Readonly<Record<string, string>> | undefined;
  readonly streamHeartbeatMs?: number | undefined;
  /** Where webhooks may go besides the public internet: loopback addresses, when absent, as receivers in a test have. */
  readonly webhookAllow?: readonly string[] | undefined;
  readonly webhookTimeoutMs?: number | undefined;
  /** `silent`, when absent. Lines go to the standard output. */
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent' | undefined;
}
