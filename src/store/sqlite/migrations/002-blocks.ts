/**
 * Events in blocks of about 16 KiB (block.ts) instead of a row each, so that what an event costs is the copying of it.
 *
 * `topic_blocks` tells which blocks hold events of a topic, and how many: it grows at its right edge for each topic, as the
 * index by (topic, position) of single events did, with a row a block instead of a row an event. It is written some blocks
 * late, and complete up to `topics_indexed_through`: topic-block-log.ts.
 *
 * `keys` is the log of the newest keys only: those above `sealed_through`, which no generation holds yet. `generations` is
 * the manifest of the sealed ones (dedup/generation-index.ts). `classes` has the window class of each entry of a row, 16
 * bits each, when any is not 0. `windows` and `ticks`: dedup-windows.ts.
 *
 * Events of a topic below its `retired_before` are retired, whether or not their blocks are gone yet; `retired` and
 * `retired_bytes` count them, as `events` and `bytes` count all that were ever stored.
 *
 * What the older tables held is carried over by carry-over.ts, which also computes all keys and contents anew.
 */
export const sql = `
  ALTER TABLE events RENAME TO old_events;
  DROP INDEX events_by_topic;
  DROP TABLE keys;

  CREATE TABLE blocks (
    first_position  INTEGER PRIMARY KEY,
    processed_at_us INTEGER NOT NULL,
    directory       BLOB NOT NULL,
    records         BLOB NOT NULL
  ) STRICT;

  CREATE TABLE topic_blocks (
    topic_id       INTEGER NOT NULL,
    first_position INTEGER NOT NULL,
    events         INTEGER NOT NULL,
    bytes          INTEGER NOT NULL,
    PRIMARY KEY (topic_id, first_position)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE keys (
    first_position INTEGER PRIMARY KEY,
    entries        BLOB NOT NULL,
    classes        BLOB,
    checksum       INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE generations (
    name           TEXT PRIMARY KEY,
    first_position INTEGER NOT NULL,
    last_position  INTEGER NOT NULL,
    keys           INTEGER NOT NULL,
    bytes          INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE counters ADD COLUMN sealed_through INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE counters ADD COLUMN topics_indexed_through INTEGER NOT NULL DEFAULT 0;

  ALTER TABLE topics ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE topics ADD COLUMN retired INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE topics ADD COLUMN retired_bytes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE topics ADD COLUMN retired_before INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE windows (
    class_id INTEGER PRIMARY KEY,
    window_s INTEGER NOT NULL UNIQUE
  ) STRICT;

  CREATE TABLE ticks (
    position INTEGER PRIMARY KEY,
    at_us    INTEGER NOT NULL
  ) STRICT;

  INSERT OR REPLACE INTO meta VALUES ('data_id', randomblob(16));
`;
