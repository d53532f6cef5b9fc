-- 1 lasted: as if upkeep had seen the clock ahead for so many microseconds
UPDATE horizon SET ahead_lasted = ?1 WHERE ahead_since IS NOT NULL
