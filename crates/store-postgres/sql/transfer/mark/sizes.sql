-- By the numbers of kinds. Sequences have no gaps: the last ones tell how many events there are, without reading them.
SELECT (SELECT count(*) FROM engines),
       (SELECT count(*) FROM users),
       (SELECT count(*) FROM session_clock),
       (SELECT count(*) FROM app_state),
       (SELECT count(*) FROM user_state),
       (SELECT count(*) FROM session_state),
       (SELECT coalesce(sum(last_sequence), 0)::BIGINT FROM session_clock),
       (SELECT count(*) FROM operations),
       (SELECT count(*) FROM requests)
