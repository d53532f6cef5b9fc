-- 1 engine key: nobody deletes the engine before this transaction ends
SELECT engine_key FROM engines WHERE engine_key = $1 AND NOT deleted FOR SHARE
