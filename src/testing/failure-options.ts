/**
 * How a request fails:
 *
 * - `refused`: nothing is done, and the answer is an error;
 * - `cut`: nothing is done, and the connection is closed;
 * - `answer_lost`: everything is done, and stored; then the connection is closed where the answer would come. Whoever sends the request
 *   again has sent it twice;
 * - `stalled`: nothing is done, and nothing is answered, until the client gives up.
 */
export type FailureKind = 'refused' | 'cut' | 'answer_lost' | 'stalled';

/** A member that is not here, or has no meaning for `how`, is refused. */
export interface FailureOptions {
  /** `refused`, when absent. */
  readonly how?: FailureKind;
  /** Requests that fail, one after the other: 1, when absent. `Infinity`: all of them, until the failure is ended. */
  readonly times?: number;
  /** Which requests: a method and a path of PROTOCOL.md, as `POST /subscriptions/{name}/ack`. `POST /publish`, when absent. */
  readonly of?: string;
  /**
   * Of `refused`, from 400 to 599; 503, when absent. 503 and 500 are answered as the server answers them; any other as something between
   * it and the client might, with no problem document.
   */
  readonly status?: number;
  /**
   * Of `refused`: the seconds of its Retry-After header. When absent, 0 with 503 and 429, where the server itself says 1, for tests should
   * not wait; no such header with any other status.
   */
  readonly retryAfterS?: number;
}

/** A failure that was asked for. */
export interface PlannedFailure {
  /** Requests that are still to fail. 0: all of them have. */
  readonly left: number;
  /** No further request fails of it. */
  end(): void;
}
