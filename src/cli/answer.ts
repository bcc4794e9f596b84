import { RequestError } from '../client/request-error.ts';

/*
 * Answers as they come over the wire, for the commands that pass them on: what a parser makes of a payload is no longer
 * what was sent.
 */

/** @throws RequestError `no_answer` when the connection ends before the answer does */
export async function answerText(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw brokenOff(error);
  }
}

/** @throws RequestError `no_answer` when the connection ends before the answer does */
export async function* answerBytes(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw brokenOff(error);
      });
      if (done) return;
      yield value;
    }
  } finally {
    // Whoever stops half way wants no more of it; of one that failed there is no more.
    await reader.cancel().catch(() => {});
  }
}

/** `fetch` says "terminated"; what happened is in the cause. */
function brokenOff(cause: unknown): RequestError {
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const message = reason instanceof Error ? reason.message : String(reason);
  return new RequestError(`the answer broke off: ${message}`, { code: 'no_answer', status: 0, cause });
}
