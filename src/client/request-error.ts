import type { ProblemAnswer } from '../protocol/wire.ts';

/** A request that was refused, or got no answer. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** Of the problem document; `no_answer` when the server could not be reached, `http_STATUS` when it sent none. */
  readonly code: string;
  /** HTTP status; 0 without an answer. */
  readonly status: number;
  readonly retryable: boolean;
  readonly problem: ProblemAnswer | undefined;

  constructor(
    message: string,
    {
      code,
      status,
      problem,
      cause,
    }: { code: string; status: number; problem?: ProblemAnswer | undefined; cause?: unknown },
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
    this.retryable = RETRYABLE.has(status);
    this.problem = problem;
  }
}

/** Where sending the same again can help: no answer, too slow, too many, a gateway or a server that will be back. */
const RETRYABLE = new Set([0, 408, 429, 502, 503, 504]);
