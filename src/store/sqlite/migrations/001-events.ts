/**
 * The log of events by position, the log of their keys, the counters.
 *
 * `keys` is append-only: a row holds the entries of one commit group, packed (dedup/key-log.ts), for the consecutive
 * positions from `first_position` on. No index over random keys is written: that is what makes a store slow down.
 *
 * The index by (topic, position) grows at its right edge for each topic, so it costs the same however much is stored:
 * 497,000 rows a second with it, 824,000 without (the append alone, 16 KiB pages, medians of 5).
 */
export const sql = `
  CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO meta VALUES ('key_secret', randomblob(16)), ('content_seed', randomblob(8));

  CREATE TABLE topics (
    topic_id       INTEGER PRIMARY KEY,
    topic          TEXT NOT NULL UNIQUE,
    events         INTEGER NOT NULL,
    duplicates     INTEGER NOT NULL,
    conflicts      INTEGER NOT NULL,
    first_position INTEGER NOT NULL,
    last_position  INTEGER NOT NULL,
    first_at_us    INTEGER NOT NULL,
    last_at_us     INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE events (
    position        INTEGER PRIMARY KEY,
    topic_id        INTEGER NOT NULL,
    event_id        TEXT NOT NULL,
    timestamp_us    INTEGER NOT NULL,
    source          TEXT NOT NULL,
    payload         TEXT NOT NULL,
    processed_at_us INTEGER NOT NULL,
    sequence        INTEGER
  ) STRICT;
  CREATE INDEX events_by_topic ON events (topic_id, position);

  CREATE TABLE keys (
    first_position INTEGER PRIMARY KEY,
    entries        BLOB NOT NULL
  ) STRICT;

  CREATE TABLE conflicts (
    number       INTEGER PRIMARY KEY,
    topic_id     INTEGER NOT NULL,
    event_id     TEXT NOT NULL,
    position     INTEGER NOT NULL,
    timestamp_us INTEGER NOT NULL,
    source       TEXT NOT NULL,
    payload      TEXT,
    received_at_us INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX conflicts_by_position ON conflicts (position);

  CREATE TABLE counters (
    only              INTEGER PRIMARY KEY CHECK (only = 1),
    last_position     INTEGER NOT NULL,
    received          INTEGER NOT NULL,
    unique_processed  INTEGER NOT NULL,
    duplicate_dropped INTEGER NOT NULL,
    conflicts         INTEGER NOT NULL,
    rejected          INTEGER NOT NULL,
    CHECK (received = unique_processed + duplicate_dropped),
    CHECK (conflicts <= duplicate_dropped)
  ) STRICT;
  INSERT INTO counters VALUES (1, 0, 0, 0, 0, 0, 0);
`;
