/** Sets a queue entry aside: noted as consumed, counted and kept in one transaction. False when it had been consumed before. */
export const deadLetterSql = `
  CREATE OR REPLACE FUNCTION sekali.dead_letter_1(
    p_epoch uuid, p_entry uuid, p_events integer, p_reason text, p_attempts integer, p_body bytea
  ) RETURNS boolean
  LANGUAGE plpgsql SET search_path = sekali, pg_temp AS $$
  DECLARE
    v_slot integer;
  BEGIN
    SELECT slot INTO v_slot FROM counters LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF v_slot IS NULL THEN
      INSERT INTO counters DEFAULT VALUES RETURNING slot INTO v_slot;
    END IF;
    INSERT INTO consumed_entries (entry) VALUES (p_entry) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      RETURN false;
    END IF;
    INSERT INTO consumed_counts AS c (epoch, slot, events) VALUES (p_epoch, v_slot, p_events)
      ON CONFLICT (epoch, slot) DO UPDATE SET events = c.events + excluded.events;
    UPDATE counters SET dead_lettered = dead_lettered + p_events WHERE slot = v_slot;
    INSERT INTO dead_letters (entry, events, reason, attempts, body)
      VALUES (p_entry, p_events, p_reason, p_attempts, p_body);
    RETURN true;
  END
  $$;
`;
