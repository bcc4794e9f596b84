/**
 * The catalogue of failures. A failure has a stable `code`, the HTTP status it is answered with, and whether sending
 * the same request again can help. Expected outcomes (a duplicate, a conflict, a rejected event in a good batch) are
 * values, not failures, and are not here.
 *
 * docs/reference/errors.md is checked against this table.
 */
export const catalogue = {
  encoding_invalid: problem(400, 'The body could not be decompressed.'),
  utf8_invalid: problem(400, 'The body is not UTF-8.'),
  json_invalid: problem(400, 'The body is not JSON.'),
  request_invalid: problem(400, 'The request is not valid HTTP.'),
  key_missing: problem(401, 'An API key is required.'),
  key_wrong: problem(401, 'The API key is not known.'),
  host_refused: problem(403, 'The Host header names no loopback address.'),
  origin_refused: problem(403, 'The request comes from a web page of another origin.'),
  route_unknown: problem(404, 'There is nothing at this address.'),
  event_unknown: problem(404, 'No event with this topic and event_id is known.'),
  subscription_unknown: problem(404, 'There is no subscription of this name.'),
  method_refused: problem(405, 'This address does not take this method.'),
  request_timeout: problem(408, 'The request took too long to arrive.', { retryable: true }),
  webhook_conflict: problem(
    409,
    'The subscription has a webhook, and the request is for one without; or it is the other way round.',
  ),
  secrets_full: problem(409, 'The webhook has as many secrets as may hold at one time.'),
  event_retired: problem(410, 'The event was stored, and retention has removed it.'),
  subscription_changed: problem(412, 'The definition of the subscription is not the one that is required.'),
  body_too_large: problem(413, 'The body is over the size limit.'),
  batch_too_long: problem(413, 'The body holds more events than one request may.'),
  event_too_large: problem(413, 'The event is over the size limit.'),
  media_type_unknown: problem(415, 'The content type is not known.'),
  encoding_unknown: problem(415, 'The content encoding is not known.'),
  parameter_invalid: problem(422, 'A query parameter is not valid.'),
  batch_empty: problem(422, 'The request holds no event.'),
  batch_invalid: problem(422, 'The request is not an event, a list of events or {"events": [...]}.'),
  events_invalid: problem(422, 'No event of the request is valid.'),
  batch_refused: problem(422, 'An event is not valid, and the request is atomic.'),
  subscription_invalid: problem(422, 'A member of what is asked of a subscription is not valid.'),
  publishers_too_many: problem(422, 'More publishers and gaps match than are looked after at once.'),
  headers_too_large: problem(431, 'The headers of the request are too large.'),
  internal: problem(500, 'Sekali made a mistake.'),
  overloaded: problem(503, 'Sekali is full.', { retryable: true }),
  store_unavailable: problem(503, 'The store cannot take events.', { retryable: true }),
  queue_unavailable: problem(503, 'The queue cannot take events.', { retryable: true }),
  shutting_down: problem(503, 'Sekali is shutting down.', { retryable: true }),
  // Found at start, never answered over HTTP.
  config_invalid: problem(500, 'The configuration is not valid.'),
  data_in_use: problem(500, 'Another process uses this data directory.'),
  schema_newer: problem(500, 'The data was written by a newer Sekali.'),
  schema_older: problem(500, 'The database has the schema of an older Sekali.'),
  store_damaged: problem(500, 'The store contradicts itself.'),
  // Of a worker, told in its log and in the dead letter.
  entry_refused: problem(500, 'The database refuses what a queue entry holds.'),
} as const satisfies Record<string, Problem>;

export type ErrorCode = keyof typeof catalogue;

export interface Problem {
  /** HTTP status code. */
  status: number;
  /** One sentence, the same for every occurrence (RFC 9457, section 3.1.3). */
  title: string;
  /** Whether the same request can succeed later without a change. */
  retryable: boolean;
}

function problem(status: number, title: string, { retryable = false } = {}): Problem {
  return { status, title, retryable };
}

/** The one error class. `detail` names what was wrong here; `members` are further members of the problem document. */
export class SekaliError extends Error {
  override readonly name = 'SekaliError';
  readonly code: ErrorCode;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    detail: string,
    { cause, ...members }: { cause?: unknown; [member: string]: unknown } = {},
  ) {
    super(detail, cause === undefined ? undefined : { cause });
    this.code = code;
    this.members = members;
  }

  get status(): number {
    return catalogue[this.code].status;
  }

  get retryable(): boolean {
    return catalogue[this.code].retryable;
  }
}
