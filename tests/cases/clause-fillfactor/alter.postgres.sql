SET (fillfactor = 55), RESET (autovacuum_enabled)
