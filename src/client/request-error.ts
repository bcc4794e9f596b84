import type { ProblemAnswer } from '../protocol/wire.ts';
import { ClientError } from './client-error.ts';

/**
 * A request that was refused, or got no answer. Its `code` is that of the problem document; `no_answer` when the server
 * could not be reached, `http_STATUS` when it sent none, `answer_invalid` when what a publisher got with 200 is nothing that a Sekali sends.
 */
export class RequestError extends ClientError {
  override readonly name = 'RequestError';
  /** HTTP status; 0 without an answer. */
  readonly status: number;
  readonly problem: ProblemAnswer | undefined;
  /** The header of this name: when the server wants to be asked again. */
  readonly retryAfter: string | null;

  constructor(
    message: string,
    {
      code,
      status,
      problem,
      cause,
      retryAfter = null,
    }: {
      code: string;
      status: number;
      problem?: ProblemAnswer | undefined;
      cause?: unknown;
      retryAfter?: string | null;
    },
  ) {
    super(code, message, { retryable: RETRYABLE.has(status), cause });
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** Where sending the same again can help: no answer, too slow, too many, a gateway or a server that will be back. */
const RETRYABLE = new Set([0, 408, 429, 502, 503, 504]);
