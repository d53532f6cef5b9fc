-- 1 believed: as if upkeep had seen the clock run until then
UPDATE horizon SET believed = ?1, ahead_since = NULL, ahead_lasted = NULL
