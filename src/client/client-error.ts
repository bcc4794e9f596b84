/** What goes wrong in the client, told apart by `code`; a request that failed is a RequestError. */
export class ClientError extends Error {
  override readonly name: string = 'ClientError';
  /**
   * Of a rejected event the code of its rejection; else `payload_invalid`, `option_invalid`, `publisher_closed`,
   * `publisher_full`, `events_not_taken`, `stream_silent`, `answer_invalid`; of a spool on disk `spool_full`, `spool_failed`,
   * `spool_in_use`, `spool_damaged`.
   */
  readonly code: string;
  /** Whether the same again can succeed later. */
  readonly retryable: boolean;
  /** What is behind it: the issues of a schema, or the events that were not taken. */
  readonly details: readonly unknown[];

  constructor(
    code: string,
    message: string,
    {
      retryable = false,
      details = [],
      cause,
    }: { retryable?: boolean; details?: readonly unknown[]; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
    this.details = details;
  }
}

/** Whatever was thrown: it need not be an error, nor have a text. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return typeof thrown;
  }
}
