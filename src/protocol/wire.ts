/** The shapes on the wire, as PROTOCOL.md describes them: shared by the server, the client and the OpenAPI page. */

export const MEDIA_JSON = 'application/json';
export const MEDIA_NDJSON = 'application/x-ndjson';
export const MEDIA_PROBLEM = 'application/problem+json';

/** Content types of a publish request, and how each lays out its events. The first of a kind is the one to use. */
export const PUBLISH_MEDIA = {
  [MEDIA_JSON]: 'json',
  [MEDIA_NDJSON]: 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
} as const;

/** Content encodings that a request may use (RFC 9110 section 8.4.1, RFC 8878 for zstd). */
export const CONTENT_ENCODINGS = ['gzip', 'zstd', 'br', 'deflate'] as const;
export type ContentEncoding = (typeof CONTENT_ENCODINGS)[number];

/** Events in one page of a JSON answer. */
export const PAGE_LIMIT_MAX = 1000;
export const PAGE_LIMIT_DEFAULT = 100;
/** Events that `offset` may pass over; beyond it, a cursor is the way. */
export const OFFSET_MAX = 1_000_000;

/** Server-Sent Events (HTML Standard, section 9.2). */
export const MEDIA_STREAM = 'text/event-stream';

/** Seconds that a page may be waited for. */
export const WAIT_S_MAX = 60;

/** Bytes of a JSON body other than that of a publish request: 10,000 leases take 800,000. */
export const SMALL_BODY_BYTES_MAX = 2 * 1024 * 1024;

export type WireVerdict = 'stored' | 'duplicate' | 'conflict' | 'rejected';

/** An event as a publisher sends it. */
export interface WireEvent {
  topic: string;
  event_id: string;
  /** RFC 3339 date-time. */
  timestamp: string;
  source: string;
  payload: Record<string, unknown>;
  sequence?: number;
}

/** An event as a reader gets it. */
export interface WireStoredEvent extends WireEvent {
  position: number;
  processed_at: string;
}

export interface WireReceipt {
  /** Of the event in the request, from 0. */
  index: number;
  verdict: WireVerdict;
  /** Null where a rejected event has none that can be read. */
  topic: string | null;
  event_id: string | null;
  /** Of the first event with this key, or of the one stored anew after its dedup window; null for a rejected one. */
  position: number | null;
  /** Null for a rejected event, and where the first event has been retired. */
  first_seen_at: string | null;
  /** Retention has removed the first event; its key is still known. Absent otherwise. */
  retired?: true;
}

export interface WireRejection {
  index: number;
  event_id: string | null;
  code: string;
  detail: string;
}

export interface PublishAnswer {
  /** `partial` when some events were rejected. */
  status: 'accepted' | 'partial';
  count: number;
  accepted: number;
  queued: number;
  /** Null when the answer came before the store had the events. */
  processed: number | null;
  duplicates: number | null;
  conflicts: number | null;
  rejected: number;
  errors: WireRejection[];
  results?: WireReceipt[];
}

export interface EventsAnswer {
  count: number;
  events: WireStoredEvent[];
  /** Cursor of the next page: `after` when ascending, `before` when descending. Null at the end, and only there: a page may be short or empty. */
  next: number | null;
}

export interface WireConflict {
  number: number;
  topic: string;
  event_id: string;
  /** Of the first event, the one that stays. */
  position: number;
  timestamp: string;
  source: string;
  /** Null when it was too large to be kept. */
  payload: Record<string, unknown> | null;
  received_at: string;
}

/** The receipt that `GET /events/{topic}/{event_id}` adds to the event. */
export interface EventAnswer extends WireStoredEvent {
  receipt: { verdict: 'stored'; position: number; first_seen_at: string };
  conflicts: WireConflict[];
}

export interface ConflictsAnswer {
  count: number;
  conflicts: WireConflict[];
  next: number | null;
}

export interface WireTopic {
  topic: string;
  /** Ever stored. */
  events: number;
  /** Those of them that retention has removed. */
  retired: number;
  duplicates: number;
  conflicts: number;
  first_position: number;
  last_position: number;
  first_at: string;
  last_at: string;
}

export interface TopicsAnswer {
  count: number;
  topics: WireTopic[];
  /** The `after` of the next page, or null. */
  next: string | null;
}

export interface StatsAnswer {
  received: number;
  unique_processed: number;
  duplicate_dropped: number;
  conflicts: number;
  rejected: number;
  queued: number;
  dead_lettered: number;
  dedup_rate_percent: number;
  topics: string[];
  uptime_seconds: number;
}

export interface QueueAnswer {
  queue_size: number;
  /** `memory`, or that of the queue server. */
  queue_type: string;
  worker_count: number;
  workers_enabled: boolean;
  queue_size_max: number;
  queue_bytes: number;
  queue_bytes_max: number;
  /** Keys that are remembered. */
  key_count: number;
  /** Memory of their index. */
  key_index_bytes: number;
  /** Of the keys, those that are in files, and what of the memory is for them. */
  sealed_key_count: number;
  sealed_key_bytes: number;
}

export interface HealthAnswer {
  status: 'healthy' | 'unhealthy';
  database: boolean;
  queue: boolean;
  uptime_seconds: number;
  /** What fails and why, when unhealthy. */
  failing?: { part: string; reason: string }[];
}

/** An error (RFC 9457). */
export interface ProblemAnswer {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  retryable: boolean;
  [member: string]: unknown;
}
