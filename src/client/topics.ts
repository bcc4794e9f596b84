import type { WireStoredEvent } from '../protocol/wire.ts';

/** Payloads by topic, unless the user says better: `new Sekali<{ orders: Order }>()`. */
export type AnyTopics = Record<string, Record<string, unknown>>;

export type TopicOf<Topics extends object> = keyof Topics & string;

/** An event that is to be published. */
export interface Draft<Payload> {
  readonly payload: Payload;
  /** Unique within its topic. Without one, a UUIDv7 is made before the first attempt, and kept over every retry. */
  readonly event_id?: string;
  /** When it happened; now, when absent. */
  readonly timestamp?: string | Date;
  /** That of the client, when absent. */
  readonly source?: string;
  readonly sequence?: number;
}

/** What became of an event. Each of them is an answer of the server's log, none is a failure. */
export interface Receipt {
  /** `duplicate` also when an earlier attempt of this very publish had been stored, and its answer was lost. */
  readonly verdict: 'stored' | 'duplicate' | 'conflict';
  readonly event_id: string;
  /** Of the first event with this topic and event_id. */
  readonly position: number;
}

export type StoredEvent<Payload, Topic extends string = string> = Omit<
  WireStoredEvent,
  'payload' | 'topic'
> & {
  topic: Topic;
  payload: Payload;
};

/** Events of a pattern: of a topic that is named, its own payload; of a wildcard, that of any topic. */
export type EventsOf<Topics extends object, Pattern extends string> = [Pattern] extends [TopicOf<Topics>]
  ? { [T in Pattern]: StoredEvent<Topics[T], T> }[Pattern]
  : { [T in TopicOf<Topics>]: StoredEvent<Topics[T], T> }[TopicOf<Topics>];

/** A pattern: `*` stands for one word between dots, `>` at the end for one or more. Known topics are suggested. */
export type PatternOf<Topics extends object> = TopicOf<Topics> | (string & {});

/** What is used of Standard Schema 1 (standardschema.dev): Zod, Valibot, ArkType and others implement it. */
export interface StandardSchema<Output> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): StandardResult<Output> | Promise<StandardResult<Output>>;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export type Schemas<Topics extends object> = {
  readonly [T in TopicOf<Topics>]?: StandardSchema<Topics[T]>;
};
