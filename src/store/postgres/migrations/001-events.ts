/**
 * Everything lies in a schema of its own, `sekali`. No foreign keys, and no unique constraint but on the column that a table
 * would be distributed by (`keys` by key, `events` by position, the small ones copied everywhere): nothing here stands in the
 * way of a PostgreSQL that spreads tables over machines.
 *
 * - `keys` is what the promise rests on: one narrow row for each (topic, event_id) ever stored, found by 16 bytes. It holds no
 *   reference to the event, so that keys outlive events.
 * - `events` is partitioned by position, which is by age: what retention has emptied is dropped as a table.
 * - Counts are kept by *slot*: a transaction takes a slot that no other one has, so that nobody waits for a counter
 *   (append-sql.ts). What is read is the sum.
 * - `subscriptions` and `deliveries` are what is kept of subscriptions; the second has a row for each event that is under way.
 */
export const sql = `
  CREATE TABLE sekali.meta (
    name  text PRIMARY KEY,
    value bytea NOT NULL
  );

  CREATE SEQUENCE sekali.positions AS bigint MAXVALUE 9007199254740991;

  CREATE TABLE sekali.keys (
    key        uuid PRIMARY KEY,
    position   bigint NOT NULL,
    content    bigint NOT NULL,
    expires_at timestamptz
  );
  CREATE INDEX keys_by_expiry ON sekali.keys (expires_at) WHERE expires_at IS NOT NULL;

  CREATE TABLE sekali.topics (
    topic_id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic          text COLLATE "C" NOT NULL UNIQUE,
    retired_before bigint NOT NULL DEFAULT 1,
    retired        bigint NOT NULL DEFAULT 0,
    retired_bytes  bigint NOT NULL DEFAULT 0
  );

  CREATE TABLE sekali.events (
    position     bigint NOT NULL PRIMARY KEY,
    topic_id     integer NOT NULL,
    event_id     text NOT NULL,
    "timestamp"  timestamptz NOT NULL,
    source       text NOT NULL,
    payload      text NOT NULL,
    processed_at timestamptz NOT NULL,
    sequence     bigint
  ) PARTITION BY RANGE (position);
  CREATE INDEX events_by_topic ON sekali.events (topic_id, position);

  CREATE TABLE sekali.counters (
    slot              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unique_processed  bigint NOT NULL DEFAULT 0,
    duplicate_dropped bigint NOT NULL DEFAULT 0,
    conflicts         bigint NOT NULL DEFAULT 0,
    rejected          bigint NOT NULL DEFAULT 0,
    dead_lettered     bigint NOT NULL DEFAULT 0
  ) WITH (fillfactor = 10);

  CREATE TABLE sekali.topic_counts (
    topic_id       integer NOT NULL,
    slot           integer NOT NULL,
    events         bigint NOT NULL,
    duplicates     bigint NOT NULL,
    conflicts      bigint NOT NULL,
    bytes          bigint NOT NULL,
    first_position bigint,
    last_position  bigint,
    first_at       timestamptz,
    last_at        timestamptz,
    PRIMARY KEY (topic_id, slot)
  ) WITH (fillfactor = 50);

  CREATE TABLE sekali.conflicts (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic_id    integer NOT NULL,
    event_id    text NOT NULL,
    position    bigint NOT NULL,
    "timestamp" timestamptz NOT NULL,
    source      text NOT NULL,
    payload     text,
    received_at timestamptz NOT NULL
  );
  CREATE INDEX conflicts_by_position ON sekali.conflicts (position);

  -- What has come from the queue: each entry once, and how many events of each epoch of the queue.
  CREATE TABLE sekali.consumed_entries (
    entry       uuid PRIMARY KEY,
    consumed_at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  CREATE INDEX consumed_entries_by_age ON sekali.consumed_entries (consumed_at);
  CREATE TABLE sekali.consumed_counts (
    epoch  uuid NOT NULL,
    slot   integer NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (epoch, slot)
  ) WITH (fillfactor = 50);

  CREATE TABLE sekali.dead_letters (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry    uuid NOT NULL,
    events   integer NOT NULL,
    reason   text NOT NULL,
    attempts integer NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    body     bytea NOT NULL
  );

  -- Hardly more than a cursor, which moves with each hand-out: there is room in the page for its next version. The column of that name is
  -- the id of a definition as it was put, and drawn anew with each.
  CREATE TABLE sekali.subscriptions (
    subscription_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text COLLATE "C" NOT NULL UNIQUE,
    definition      json NOT NULL,
    version         uuid NOT NULL DEFAULT gen_random_uuid(),
    cursor          bigint NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
  ) WITH (fillfactor = 20);

  -- What is outstanding or dead (subscription-store.ts). Leased: it has a lease, and due_at is its end. Waiting: it has none, and
  -- due_at is when it is handed out again. Dead: it has died_at.
  -- Rows come and go as fast as events: dead versions are taken away early, and by their number, not by a share of a table that
  -- may be empty. The end of the table is not cut off when it is empty, which would keep everybody out and be needed again at once.
  CREATE TABLE sekali.deliveries (
    subscription_id bigint NOT NULL,
    position        bigint NOT NULL,
    topic           text COLLATE "C" NOT NULL,
    attempts        integer NOT NULL,
    lease           uuid,
    due_at          timestamptz,
    reason          text,
    died_at         timestamptz,
    PRIMARY KEY (subscription_id, position)
  ) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
    vacuum_truncate = false
  );
  CREATE INDEX deliveries_by_due ON sekali.deliveries (subscription_id, due_at, position) WHERE died_at IS NULL;
  CREATE INDEX deliveries_dead ON sekali.deliveries (subscription_id, position) WHERE died_at IS NOT NULL;
`;
