-- 1 project, 2 location, 3 engine id: nobody deletes the engine before this transaction ends
SELECT engine_key FROM engines
WHERE project = $1 AND location = $2 AND engine_id = $3 AND NOT deleted
FOR SHARE
