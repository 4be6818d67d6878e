#include "osc/state.h"

const struct state_dialect mysql_state = {
    .create = "CREATE TABLE IF NOT EXISTS {schema}." STATE_TABLE " (\n"
              "  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,\n"
              "  source_schema VARCHAR(64) NOT NULL,\n"
              "  source_table VARCHAR(64) NOT NULL,\n"
              "  alter_text LONGTEXT NOT NULL,\n"
              "  options LONGTEXT NOT NULL,\n"
              "  step VARCHAR(32) NOT NULL,\n"
              "  status VARCHAR(16) NOT NULL,\n"
              "  identity LONGTEXT NOT NULL,\n"
              "  fingerprint LONGTEXT NOT NULL,\n"
              "  stamp LONGTEXT NOT NULL,\n"
              "  deferred LONGTEXT NOT NULL,\n"
              "  watermark LONGTEXT NOT NULL,\n"
              "  wish VARCHAR(32) NOT NULL,\n"
              "  paused VARCHAR(255) NOT NULL DEFAULT '',\n"
              "  let_go VARCHAR(255) NOT NULL DEFAULT '',\n"
              "  orders BIGINT NOT NULL DEFAULT 0,\n"
              "  progress LONGTEXT NOT NULL,\n"
              "  error LONGTEXT NOT NULL,\n"
              "  retired VARCHAR(64) NOT NULL,\n"
              "  host VARCHAR(255) NOT NULL,\n"
              "  pid BIGINT NOT NULL,\n"
              "  run VARCHAR(64) NOT NULL,\n"
              "  version VARCHAR(32) NOT NULL,\n"
              "  started_at DATETIME(3) NOT NULL,\n"
              "  updated_at DATETIME(3) NOT NULL,\n"
              "  finished_at DATETIME(3) NULL\n"
              ") ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COMMENT 'state of "
              "osc migrations'",
    .insert =
        "INSERT INTO {schema}." STATE_TABLE
        " (source_schema, source_table, alter_text, options, step, status, identity, "
        "fingerprint, stamp, deferred, watermark, wish, progress, error, retired, host, pid, "
        "run, version, started_at, updated_at) VALUES ({source_schema}, {source_table}, {alter}, "
        "{options}, {step}, 'running', {identity}, {fingerprint}, '', '', '', '', '', '', "
        "{retired}, {host}, {pid}, {run}, {version}, {now}, {now})",
    .inserted = "SELECT LAST_INSERT_ID()",
    .insert_returns = false,
    .lock = "LOCK TABLES {schema}." STATE_TABLE " WRITE",
    .unlock = "UNLOCK TABLES",
    .now = "UTC_TIMESTAMP(3)",
    .age = "GREATEST(TIMESTAMPDIFF(SECOND, {at}, UTC_TIMESTAMP(3)), 0)",
    .epoch_ms = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {at}) DIV 1000",
    .schemas =
        "SELECT table_schema FROM information_schema.tables WHERE table_name = '" STATE_TABLE
        "' AND table_schema = COALESCE({schema}, DATABASE(), table_schema) ORDER BY table_schema",
};
