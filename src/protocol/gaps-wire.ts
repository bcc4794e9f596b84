/** Numbers that follow one another and that no stored event of the publisher had. */
export interface WireGap {
  from: number;
  to: number;
  /** Of the event that showed the gap. */
  position: number;
  processed_at: string;
}

export interface WireRestart {
  /** The number that the publisher began anew with. */
  sequence: number;
  /** The highest number before. */
  after: number;
  position: number;
  processed_at: string;
}

/** A publisher is a source of a topic whose events have a sequence. */
export interface WirePublisherGaps {
  topic: string;
  source: string;
  /** Stored events with a sequence. */
  events: number;
  first_position: number;
  last_position: number;
  /** Since the last restart. */
  first_sequence: number;
  highest_sequence: number;
  /** Numbers in gaps. */
  missing: number;
  gap_count: number;
  /** The newest of them. */
  gaps: WireGap[];
  /** Numbers of gaps that are not kept any more. */
  forgotten: number;
  out_of_order: number;
  /** Events whose number had been before, or came far too late, before the publisher went on. */
  repeated: number;
  restart_count: number;
  /** The newest of them. */
  restarts: WireRestart[];
}

export interface GapsAnswer {
  count: number;
  /** In the order of their first events. */
  publishers: WirePublisherGaps[];
  /** The position up to which all events have been looked at. */
  through: number;
  /** Whether that is all that was stored when the request came; if not, the same request gets further. */
  complete: boolean;
  /** The `after` of the next page, or null. */
  next: number | null;
}
