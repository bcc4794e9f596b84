import { CONFLICT_PAYLOAD_BYTES_MAX, CONFLICTS_KEPT } from '../store-reader.ts';

/**
 * The append as one function of the database: verdicts, keys, events and counters of a commit group in one call, which is one
 * transaction.
 *
 * In the database rather than statement by statement, because of what is held meanwhile: between two statements of a client
 * lie its pauses and the network, and others wait for its keys, readers for its positions.
 *
 * **READ COMMITTED is enough**, and needed. Exactness comes from the primary key of `keys` alone: an insert that meets a key
 * of a transaction that is still open waits for its end, and then either inserts or does nothing. The statement after it
 * has a snapshot of its own, in which the key that was in the way is committed, so it reads the first receipt. Under
 * REPEATABLE READ that row would stay invisible and the group would fail.
 *
 * **No deadlock**: waits happen at the entries of the queue and then at the keys, and both are inserted in their own order, so
 * that of any two groups the one with the smaller common key goes first. A slot is taken without waiting.
 *
 * **No scan of the keys**: from its sixth call in a connection on a statement keeps the plan that it has, until statistics of the
 * tables come. On a database that was empty at that time this was a hash join over all keys: with 250,000 keys and
 * autovacuum off, a group of one new event took 14.5 ms instead of 0.3, and more with every key. Without sequential scans
 * the costs of what has no index are estimated so high that it would be compiled, for 22 ms a group; hence no `jit`.
 * (A plan for each call was slower: 80 to 104 ms instead of 21 to 62 for groups of 4,000 with known keys.)
 *
 * **Readers never skip**: before it allocates positions, a group takes a shared lock that holds the last position so far,
 * and lets go of it with its transaction, after its rows have become visible. See horizon-sql.ts.
 */
export const appendSql = `
  CREATE OR REPLACE FUNCTION sekali.append_1(
    p_keys        uuid[],        -- of all events, in their order
    p_contents    bigint[],
    p_firsts      integer[],     -- for each event the first one of its key in this group, from 1; null: all keys differ
    p_topics      integer[],
    p_event_ids   text[],
    p_timestamps  timestamptz[],
    p_sources     text[],
    p_payloads    text[],
    p_sequences   bigint[],      -- null: none has one
    p_bytes       integer[],     -- of id, source and payload together
    p_windowed    integer[],     -- topics that have a dedup window, and its seconds
    p_windows_s   bigint[],
    p_rejected    bigint,
    p_epoch       uuid,          -- of the queue that the entries come from
    p_entries     uuid[],
    OUT o_stored_at timestamptz,
    OUT o_positions bigint[],
    OUT o_verdicts  smallint[]   -- 0 stored, 1 duplicate, 2 conflict; null: all are stored
  )
  LANGUAGE plpgsql
  SET search_path = sekali, pg_temp SET enable_seqscan = off SET jit = off AS $$
  DECLARE
    v_count       integer := cardinality(p_keys);
    v_slot        integer;
    v_known       bigint[];
    v_fresh       integer := 0;
    v_new_entries integer;
    v_written     integer := 0;
    v_allocated   bigint[];
    v_candidate   bigint[];
    v_contents    bigint[];
    v_stored      integer := 0;
    v_conflicts   integer := 0;
    v_now         timestamptz := clock_timestamp();
  BEGIN
    o_stored_at := v_now;
    SELECT slot INTO v_slot FROM counters LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF v_slot IS NULL THEN
      INSERT INTO counters DEFAULT VALUES RETURNING slot INTO v_slot;
    END IF;

    IF p_entries IS NOT NULL THEN
      INSERT INTO consumed_entries (entry) SELECT entry FROM unnest(p_entries) AS entry ORDER BY entry
        ON CONFLICT DO NOTHING;
      GET DIAGNOSTICS v_new_entries = ROW_COUNT;
      IF v_new_entries < cardinality(p_entries) THEN
        RAISE EXCEPTION 'some of the entries have been consumed before' USING ERRCODE = 'SK001';
      END IF;
      INSERT INTO consumed_counts AS c (epoch, slot, events) VALUES (p_epoch, v_slot, v_count)
        ON CONFLICT (epoch, slot) DO UPDATE SET events = c.events + excluded.events;
    END IF;

    IF v_count > 0 THEN
      SELECT array_agg(k.position ORDER BY e.i),
             count(*) FILTER (WHERE k.key IS NULL AND (p_firsts IS NULL OR e.first = e.i))
        INTO v_known, v_fresh
        FROM unnest(p_keys, p_firsts) WITH ORDINALITY AS e (key, first, i)
        LEFT JOIN keys k ON k.key = e.key AND (k.expires_at IS NULL OR k.expires_at > v_now);
    END IF;

    IF v_fresh > 0 THEN
      PERFORM pg_advisory_xact_lock_shared((83::bigint << 56) | CASE WHEN is_called THEN last_value ELSE 0 END)
        FROM positions;
      SELECT array_agg(nextval('positions')) INTO v_allocated FROM generate_series(1, v_fresh);
      v_candidate := v_allocated;
      IF v_fresh < v_count THEN
        SELECT array_agg(a.position ORDER BY e.i) INTO v_candidate
          FROM (
            SELECT i, is_fresh, count(*) FILTER (WHERE is_fresh) OVER (ORDER BY i) AS number
              FROM (
                SELECT i, known IS NULL AND coalesce(first, i) = i AS is_fresh
                  FROM unnest(v_known, p_firsts) WITH ORDINALITY AS u (known, first, i)
              ) AS marked
          ) AS e
          LEFT JOIN unnest(v_allocated) WITH ORDINALITY AS a (position, number)
            ON e.is_fresh AND a.number = e.number;
      END IF;
      INSERT INTO keys AS k (key, position, content, expires_at)
        SELECT e.key, e.position, e.content, v_now + make_interval(secs => w.window_s)
          FROM unnest(p_keys, v_candidate, p_contents, p_topics) AS e (key, position, content, topic_id)
          LEFT JOIN unnest(p_windowed, p_windows_s) AS w (topic_id, window_s) ON w.topic_id = e.topic_id
          WHERE e.position IS NOT NULL
          ORDER BY e.key
        ON CONFLICT (key) DO UPDATE
          SET position = excluded.position, content = excluded.content, expires_at = excluded.expires_at
          WHERE k.expires_at <= v_now;
      GET DIAGNOSTICS v_written = ROW_COUNT;
    END IF;

    IF v_fresh = v_count AND v_written = v_fresh THEN
      o_positions := coalesce(v_candidate, '{}');
      v_stored := v_count;
    ELSE
      -- Some were known, twice in the group, or another instance's while this group waited: the keys now say which is which.
      SELECT array_agg(k.position ORDER BY e.i),
             array_agg((CASE WHEN k.position = e.candidate THEN 0 WHEN k.content = e.content THEN 1 ELSE 2 END)::smallint
                       ORDER BY e.i),
             count(*) FILTER (WHERE k.position = e.candidate),
             count(*) FILTER (WHERE k.position IS DISTINCT FROM e.candidate AND k.content <> e.content)
        INTO o_positions, o_verdicts, v_stored, v_conflicts
        FROM unnest(p_keys, v_candidate, p_contents) WITH ORDINALITY AS e (key, candidate, content, i)
        LEFT JOIN keys k ON k.key = e.key;
      IF array_position(o_positions, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'a key expired while its event waited' USING ERRCODE = '40001';
      END IF;
    END IF;

    IF v_stored > 0 THEN
      INSERT INTO events (position, topic_id, event_id, "timestamp", source, payload, processed_at, sequence)
        SELECT e.position, e.topic_id, e.event_id, e.at, e.source, e.payload, v_now, e.sequence
          FROM unnest(o_positions, o_verdicts, p_topics, p_event_ids, p_timestamps, p_sources, p_payloads, p_sequences)
            AS e (position, verdict, topic_id, event_id, at, source, payload, sequence)
          WHERE e.verdict IS NULL OR e.verdict = 0;
    END IF;

    UPDATE counters SET
        unique_processed = unique_processed + v_stored,
        duplicate_dropped = duplicate_dropped + (v_count - v_stored),
        conflicts = conflicts + v_conflicts,
        rejected = rejected + p_rejected
      WHERE slot = v_slot;
    INSERT INTO topic_counts AS t
        (topic_id, slot, events, duplicates, conflicts, bytes, first_position, last_position, first_at, last_at)
      SELECT e.topic_id, v_slot,
             count(*) FILTER (WHERE e.stored),
             count(*) FILTER (WHERE e.verdict = 1),
             count(*) FILTER (WHERE e.verdict = 2),
             coalesce(sum(e.bytes) FILTER (WHERE e.stored), 0),
             min(e.position) FILTER (WHERE e.stored),
             max(e.position) FILTER (WHERE e.stored),
             CASE WHEN bool_or(e.stored) THEN v_now END,
             CASE WHEN bool_or(e.stored) THEN v_now END
        FROM (
          SELECT *, verdict IS NULL OR verdict = 0 AS stored
            FROM unnest(o_positions, o_verdicts, p_topics, p_bytes) AS u (position, verdict, topic_id, bytes)
        ) AS e
        GROUP BY e.topic_id
      ON CONFLICT (topic_id, slot) DO UPDATE SET
        events = t.events + excluded.events,
        duplicates = t.duplicates + excluded.duplicates,
        conflicts = t.conflicts + excluded.conflicts,
        bytes = t.bytes + excluded.bytes,
        first_position = coalesce(t.first_position, excluded.first_position),
        first_at = coalesce(t.first_at, excluded.first_at),
        last_position = coalesce(excluded.last_position, t.last_position),
        last_at = coalesce(excluded.last_at, t.last_at);

    IF v_conflicts > 0 THEN
      INSERT INTO conflicts (topic_id, event_id, position, "timestamp", source, payload, received_at)
        SELECT e.topic_id, e.event_id, e.position, e.at, e.source,
               CASE WHEN octet_length(e.payload) <= ${CONFLICT_PAYLOAD_BYTES_MAX} THEN e.payload END, v_now
          FROM unnest(o_positions, o_verdicts, p_topics, p_event_ids, p_timestamps, p_sources, p_payloads)
            WITH ORDINALITY AS e (position, verdict, topic_id, event_id, at, source, payload, i)
          WHERE e.verdict = 2
          ORDER BY e.i;
      -- What another group is removing already is left to it.
      DELETE FROM conflicts WHERE number IN (
        SELECT number FROM conflicts WHERE number <= (SELECT max(number) FROM conflicts) - ${CONFLICTS_KEPT}
          FOR UPDATE SKIP LOCKED
      );
    END IF;
  END
  $$;
`;
