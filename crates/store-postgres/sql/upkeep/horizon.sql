SELECT believed, ahead_since, ahead_lasted FROM horizon WHERE id = 1
