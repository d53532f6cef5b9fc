-- 1 kind, 2 place, 3 rows, 4 and 5 the kind and place before: nothing changes where they are others
UPDATE transfer SET kind = ?1, place = ?2, rows = ?3 WHERE kind = ?4 AND place = ?5
