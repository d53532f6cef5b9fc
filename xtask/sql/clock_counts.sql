-- How many sessions, and how many rows that belong to none
SELECT (SELECT count(*) FROM sessions),
       (SELECT count(*) FROM events WHERE session_key NOT IN (SELECT session_key FROM sessions))
       + (SELECT count(*) FROM session_state WHERE session_key NOT IN (SELECT session_key FROM sessions))
       + (SELECT count(*) FROM session_clock WHERE session_key NOT IN (SELECT session_key FROM sessions))
       + (SELECT count(*) FROM operations
          WHERE session_key IS NOT NULL AND session_key NOT IN (SELECT session_key FROM sessions))
