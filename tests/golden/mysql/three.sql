-- journal
CREATE TABLE IF NOT EXISTS `shop`.`ledger_osc_journal` (k1 date NULL, k2 decimal(10,2) NULL, k3 tinyint(1) NULL, id BIGINT UNSIGNED NOT NULL DEFAULT (((CONNECTION_ID() & 1023) << 54 | (UUID_SHORT() & 0x3FFFFFFFFFFFFF))) PRIMARY KEY) ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT='osc: keys written while a table is migrated';
INSERT IGNORE INTO `shop`.`ledger_osc_journal` (id)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 31)
SELECT (a.i << 5 | b.i) << 54 FROM n AS a CROSS JOIN n AS b;

-- triggers
SET SESSION autocommit = 0, wait_timeout = 10 /*M!100300 , idle_transaction_timeout = 10 */;
SET SESSION lock_wait_timeout = 1;
LOCK TABLES `shop`.`ledger` WRITE, `shop`.`ledger_osc_journal` WRITE;
CREATE TRIGGER `shop`.`ledger_osc_ins` AFTER INSERT ON `shop`.`ledger` FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 BEGIN END; INSERT INTO `shop`.`ledger_osc_journal` (k1, k2, k3) VALUES (NEW.`a`, NEW.`b`, NEW.`c`); END;
CREATE TRIGGER `shop`.`ledger_osc_upd` AFTER UPDATE ON `shop`.`ledger` FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 BEGIN END; INSERT INTO `shop`.`ledger_osc_journal` (k1, k2, k3) VALUES (OLD.`a`, OLD.`b`, OLD.`c`); IF NOT (OLD.`a` = NEW.`a` AND OLD.`b` = NEW.`b` AND OLD.`c` = NEW.`c`) THEN INSERT INTO `shop`.`ledger_osc_journal` (k1, k2, k3) VALUES (NEW.`a`, NEW.`b`, NEW.`c`); END IF; END;
CREATE TRIGGER `shop`.`ledger_osc_del` AFTER DELETE ON `shop`.`ledger` FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 BEGIN END; INSERT INTO `shop`.`ledger_osc_journal` (k1, k2, k3) VALUES (OLD.`a`, OLD.`b`, OLD.`c`); END;
COMMIT;
UNLOCK TABLES;
SET SESSION autocommit = 1, wait_timeout = 604800 /*M!100300 , idle_transaction_timeout = 60 */;

-- chunk of positions
INSERT INTO `shop`.`ledger_osc_new` (`a`, `b`, `c`)
SELECT t.`a`, t.`b`, t.`c` FROM `shop`.`ledger` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`a` BETWEEN -9223372036854775708 AND -9223372036854775609
ON DUPLICATE KEY UPDATE `shop`.`ledger_osc_new`.`a` = `shop`.`ledger_osc_new`.`a`;

-- chunk of keys
INSERT INTO `shop`.`ledger_osc_new` (`a`, `b`, `c`)
SELECT t.`a`, t.`b`, t.`c` FROM `shop`.`ledger` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`a` >= 'low 1' AND (t.`a` > 'low 1' OR (t.`a` = 'low 1' AND (t.`b` > 'low 2' OR (t.`b` = 'low 2' AND (t.`c` > 'low 3'))))) AND t.`a` <= 'end 1' AND (t.`a` < 'end 1' OR (t.`a` = 'end 1' AND (t.`b` < 'end 2' OR (t.`b` = 'end 2' AND (t.`c` <= 'end 3')))))
ON DUPLICATE KEY UPDATE `shop`.`ledger_osc_new`.`a` = `shop`.`ledger_osc_new`.`a`;

-- key literals
QUOTE(t.`a`), t.`b`, t.`c`

-- read the journal
SELECT j.id, DENSE_RANK() OVER (ORDER BY j.k1, j.k2, j.k3), j.id
FROM (SELECT j.id, j.k1, j.k2, j.k3 FROM `shop`.`ledger_osc_journal` AS j
WHERE j.id > 0 AND j.k1 IS NOT NULL ORDER BY j.id LIMIT 4000) AS j ORDER BY j.id;

-- replay: delete
DELETE s FROM `shop`.`ledger_osc_journal` AS j FORCE INDEX (PRIMARY)
STRAIGHT_JOIN `shop`.`ledger_osc_new` AS s WHERE j.id IN (…) AND s.`a` = j.k1 AND s.`b` = j.k2 AND s.`c` = j.k3;

-- replay: insert
INSERT INTO `shop`.`ledger_osc_new` (`a`, `b`, `c`)
SELECT t.`a`, t.`b`, t.`c` FROM (SELECT DISTINCT j.k1, j.k2, j.k3
FROM `shop`.`ledger_osc_journal` AS j WHERE j.id IN (…)) AS j
STRAIGHT_JOIN `shop`.`ledger` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`a` = j.k1 AND t.`b` = j.k2 AND t.`c` = j.k3;

-- replay: insert where free
INSERT INTO `shop`.`ledger_osc_new` (`a`, `b`, `c`)
SELECT t.`a`, t.`b`, t.`c` FROM (SELECT DISTINCT j.k1, j.k2, j.k3
FROM `shop`.`ledger_osc_journal` AS j WHERE j.id IN (…)) AS j
STRAIGHT_JOIN `shop`.`ledger` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`a` = j.k1 AND t.`b` = j.k2 AND t.`c` = j.k3
ON DUPLICATE KEY UPDATE `shop`.`ledger_osc_new`.`a` = `shop`.`ledger_osc_new`.`a`;

-- replay: what was left out
SELECT j.id FROM `shop`.`ledger_osc_journal` AS j FORCE INDEX (PRIMARY)
STRAIGHT_JOIN `shop`.`ledger` AS t FORCE INDEX (`PRIMARY`) ON t.`a` = j.k1 AND t.`b` = j.k2 AND t.`c` = j.k3
LEFT JOIN `shop`.`ledger_osc_new` AS s ON s.`a` = t.`a` AND s.`b` = t.`b` AND s.`c` = t.`c`
WHERE j.id IN (…) AND s.`a` IS NULL;

-- replay: what is gone
SELECT j.id FROM `shop`.`ledger_osc_journal` AS j FORCE INDEX (PRIMARY)
LEFT JOIN `shop`.`ledger` AS t FORCE INDEX (`PRIMARY`) ON t.`a` = j.k1 AND t.`b` = j.k2 AND t.`c` = j.k3
WHERE j.id IN (…) AND t.`a` IS NULL;

-- replay: overwrite
INSERT INTO `shop`.`ledger_osc_new` (`a`, `b`, `c`)
SELECT t.`a`, t.`b`, t.`c` FROM (SELECT DISTINCT j.k1, j.k2, j.k3
FROM `shop`.`ledger_osc_journal` AS j WHERE j.id IN (…)) AS j
STRAIGHT_JOIN `shop`.`ledger` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`a` = j.k1 AND t.`b` = j.k2 AND t.`c` = j.k3
ON DUPLICATE KEY UPDATE `shop`.`ledger_osc_new`.`a` = IF(`shop`.`ledger_osc_new`.`a` = VALUES(`a`) AND `shop`.`ledger_osc_new`.`b` = VALUES(`b`) AND `shop`.`ledger_osc_new`.`c` = VALUES(`c`), VALUES(`a`), (SELECT NULL UNION ALL SELECT NULL)), `shop`.`ledger_osc_new`.`b` = VALUES(`b`), `shop`.`ledger_osc_new`.`c` = VALUES(`c`);

-- replay: forget
DELETE `shop`.`ledger_osc_journal` FROM (SELECT DISTINCT j.id FROM `shop`.`ledger_osc_journal` AS j FORCE INDEX (PRIMARY)
WHERE j.id IN (…)) AS e STRAIGHT_JOIN `shop`.`ledger_osc_journal` WHERE `shop`.`ledger_osc_journal`.id = e.id;

-- settle
DROP TEMPORARY TABLE IF EXISTS `shop`.osc_image;
CREATE TEMPORARY TABLE `shop`.osc_image (n BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB AS SELECT j.k1, j.k2, j.k3, t.`a` IS NOT NULL AS has_row, t.`a` AS c1, t.`b` AS c2, t.`c` AS c3
FROM (SELECT DISTINCT j.k1, j.k2, j.k3 FROM `shop`.`ledger_osc_journal` AS j WHERE j.k1 IS NOT NULL) AS j
LEFT JOIN `shop`.`ledger` AS t FORCE INDEX (`PRIMARY`) ON t.`a` = j.k1 AND t.`b` = j.k2 AND t.`c` = j.k3 LIMIT 0;
START TRANSACTION;
INSERT INTO `shop`.osc_image (k1, k2, k3, has_row, c1, c2, c3)
SELECT j.k1, j.k2, j.k3, t.`a` IS NOT NULL AS has_row, t.`a` AS c1, t.`b` AS c2, t.`c` AS c3
FROM (SELECT DISTINCT j.k1, j.k2, j.k3 FROM `shop`.`ledger_osc_journal` AS j WHERE j.k1 IS NOT NULL) AS j
LEFT JOIN `shop`.`ledger` AS t FORCE INDEX (`PRIMARY`) ON t.`a` = j.k1 AND t.`b` = j.k2 AND t.`c` = j.k3;
INSERT INTO `shop`.osc_image (k1, k2, k3, has_row, c1, c2, c3)
SELECT j.k1, j.k2, j.k3, FALSE, NULL, NULL, NULL FROM `shop`.`ledger_osc_journal` AS j WHERE FALSE;
DELETE s FROM `shop`.osc_image AS j STRAIGHT_JOIN `shop`.`ledger_osc_new` AS s
WHERE s.`a` = j.k1 AND s.`b` = j.k2 AND s.`c` = j.k3;
INSERT INTO `shop`.`ledger_osc_new` (`a`, `b`, `c`)
SELECT t.`a`, t.`b`, t.`c` FROM (SELECT c1 AS `a`, c2 AS `b`, c3 AS `c` FROM `shop`.osc_image
WHERE has_row) AS t;
DELETE `shop`.`ledger_osc_journal` FROM (SELECT DISTINCT j.id FROM `shop`.`ledger_osc_journal` AS j FORCE INDEX (PRIMARY)
WHERE j.… IN (…)) AS e STRAIGHT_JOIN `shop`.`ledger_osc_journal` WHERE `shop`.`ledger_osc_journal`.id = e.id;
COMMIT;

-- backlog
SELECT COUNT(*) FROM (SELECT 1 FROM `shop`.`ledger_osc_journal` AS j WHERE j.k1 IS NOT NULL LIMIT 4000) AS b;

-- backlog, about
SELECT COALESCE(MAX(TABLE_ROWS), 0) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'schema' AND TABLE_NAME = 'journal';

