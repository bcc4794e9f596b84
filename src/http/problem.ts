import { catalogue, SekaliError } from '../errors.ts';
import type { ProblemAnswer } from '../protocol/wire.ts';

/** Seconds after which a refused publisher may come back. */
export const RETRY_AFTER_S = 1;

/** The problem document of a failure (RFC 9457). */
export function toProblem(error: SekaliError): ProblemAnswer {
  const { status, title, retryable } = catalogue[error.code];
  return {
    type: `urn:sekali:problem:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    retryable,
    ...error.members,
  };
}

/** What a thrown value is answered as. Only what nobody foresaw becomes `internal`, and says nothing of itself. */
export function toSekaliError(error: unknown): SekaliError {
  if (error instanceof SekaliError) return error;
  if (isFastifyError(error) && error.statusCode < 500) {
    if (error.statusCode === 415) return new SekaliError('media_type_unknown', 'the content type is none');
    return new SekaliError('request_invalid', error.message, { cause: error });
  }
  return new SekaliError(
    'internal',
    'the request failed for a reason that was not foreseen; the log has it',
    {
      cause: error,
    },
  );
}

function isFastifyError(error: unknown): error is Error & { statusCode: number } {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
}
