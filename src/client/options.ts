import { type BackoffOptions, wait } from './backoff.ts';
import type { RequestError } from './request-error.ts';
import type { AnyTopics, Schemas } from './topics.ts';

/** All of it is optional: without any, the client talks to the server of SEKALI_URL, or to the one on this machine. */
export interface SekaliOptions<Topics extends object = AnyTopics> {
  /** Where the server is, as `http://127.0.0.1:8080`, which is also the default. Where there is an environment, SEKALI_URL. */
  readonly url?: string | undefined;
  /** The API key. Where there is an environment, SEKALI_KEY. */
  readonly key?: string | undefined;
  /** `source` of events that name none. */
  readonly source?: string;
  /** By topic: payloads are validated before they are published, and what the schema makes of them is what is sent. */
  readonly schemas?: Schemas<Topics>;
  /** How long a request is tried again before its failure is thrown. 0: never. Default 30 s. */
  readonly retryForMs?: number;
  /** How long one try may take: until its answer has come, or has begun to, where that is read as a stream. Default 30 s. */
  readonly timeoutMs?: number;
  readonly backoff?: BackoffOptions;
  /** Told of each try that failed and will be repeated. */
  readonly onRetry?: (error: RequestError, waitMs: number) => void;
  /**
   * W3C Trace Context, sent as the header of requests. Events have no member for it: what is to travel from publisher to
   * consumer belongs into the payload.
   */
  readonly traceparent?: () => string | undefined;
  readonly fetch?: typeof fetch;
  readonly clock?: ClientClock;
  /** Where the client tells what nobody is thrown; default: nowhere. `console` and pino fit. */
  readonly log?: ClientLog;
}

export interface ClientClock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  nowMs(): number;
  /** Resolves after a time; rejects with the signal's reason when that is aborted first. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: ClientClock = { nowMs: () => Date.now(), wait };

export interface ClientLog {
  warn(message: string): void;
}

export const SILENT: ClientLog = { warn() {} };

/** A variable of the environment, where there is one: not in a browser. */
export function envOf(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name] || undefined;
}
