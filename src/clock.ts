/** Where the time comes from, so that a test can turn it back. Nothing about dedup or order depends on it. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z; may jump either way. */
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };
