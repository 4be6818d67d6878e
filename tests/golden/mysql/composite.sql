-- journal
CREATE TABLE IF NOT EXISTS `shop`.`parts_osc_journal` (k1 int NULL, k2 varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NULL, id BIGINT UNSIGNED NOT NULL DEFAULT (((CONNECTION_ID() & 1023) << 54 | (UUID_SHORT() & 0x3FFFFFFFFFFFFF))) PRIMARY KEY) ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT='osc: keys written while a table is migrated';
INSERT IGNORE INTO `shop`.`parts_osc_journal` (id)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 31)
SELECT (a.i << 5 | b.i) << 54 FROM n AS a CROSS JOIN n AS b;

-- triggers
SET SESSION autocommit = 0, wait_timeout = 10 /*M!100300 , idle_transaction_timeout = 10 */;
SET SESSION lock_wait_timeout = 1;
LOCK TABLES `shop`.`parts` WRITE, `shop`.`parts_osc_journal` WRITE;
CREATE TRIGGER `shop`.`parts_osc_ins` AFTER INSERT ON `shop`.`parts` FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 BEGIN END; INSERT INTO `shop`.`parts_osc_journal` (k1, k2) VALUES (NEW.`tenant`, NEW.`code`); END;
CREATE TRIGGER `shop`.`parts_osc_upd` AFTER UPDATE ON `shop`.`parts` FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 BEGIN END; INSERT INTO `shop`.`parts_osc_journal` (k1, k2) VALUES (OLD.`tenant`, OLD.`code`); IF NOT (OLD.`tenant` = NEW.`tenant` AND CAST(OLD.`code` AS BINARY) = CAST(NEW.`code` AS BINARY)) THEN INSERT INTO `shop`.`parts_osc_journal` (k1, k2) VALUES (NEW.`tenant`, NEW.`code`); END IF; END;
CREATE TRIGGER `shop`.`parts_osc_del` AFTER DELETE ON `shop`.`parts` FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 BEGIN END; INSERT INTO `shop`.`parts_osc_journal` (k1, k2) VALUES (OLD.`tenant`, OLD.`code`); END;
COMMIT;
UNLOCK TABLES;
SET SESSION autocommit = 1, wait_timeout = 604800 /*M!100300 , idle_transaction_timeout = 60 */;

-- chunk of positions
INSERT INTO `shop`.`parts_osc_new` (`tenant`, `code`, `v`)
SELECT t.`tenant`, t.`code`, t.`v` FROM `shop`.`parts` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`tenant` BETWEEN -9223372036854775708 AND -9223372036854775609
ON DUPLICATE KEY UPDATE `shop`.`parts_osc_new`.`tenant` = `shop`.`parts_osc_new`.`tenant`;

-- chunk of keys
INSERT INTO `shop`.`parts_osc_new` (`tenant`, `code`, `v`)
SELECT t.`tenant`, t.`code`, t.`v` FROM `shop`.`parts` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`tenant` >= 'low 1' AND (t.`tenant` > 'low 1' OR (t.`tenant` = 'low 1' AND (t.`code` > 'low 2'))) AND t.`tenant` <= 'end 1' AND (t.`tenant` < 'end 1' OR (t.`tenant` = 'end 1' AND (t.`code` <= 'end 2')))
ON DUPLICATE KEY UPDATE `shop`.`parts_osc_new`.`tenant` = `shop`.`parts_osc_new`.`tenant`;

-- key literals
t.`tenant`, CONCAT('(_utf8mb4 ', IF(CONVERT(t.`code` USING utf8mb4) RLIKE '^[ -&(-Z^-~]*$', CONCAT('''', CONVERT(t.`code` USING utf8mb4), ''''), CONCAT('x''', HEX(t.`code`), '''')), ' COLLATE utf8mb4_unicode_ci)')

-- read the journal
SELECT j.id, DENSE_RANK() OVER (ORDER BY j.k1, j.k2), j.id
FROM (SELECT j.id, j.k1, j.k2 FROM `shop`.`parts_osc_journal` AS j
WHERE j.id > 0 AND j.k1 IS NOT NULL ORDER BY j.id LIMIT 4000) AS j ORDER BY j.id;

-- replay: delete
DELETE s FROM `shop`.`parts_osc_journal` AS j FORCE INDEX (PRIMARY)
STRAIGHT_JOIN `shop`.`parts_osc_new` AS s WHERE j.id IN (…) AND s.`tenant` = j.k1 AND s.`code` = j.k2;

-- replay: insert
INSERT INTO `shop`.`parts_osc_new` (`tenant`, `code`, `v`)
SELECT t.`tenant`, t.`code`, t.`v` FROM (SELECT DISTINCT j.k1, j.k2
FROM `shop`.`parts_osc_journal` AS j WHERE j.id IN (…)) AS j
STRAIGHT_JOIN `shop`.`parts` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`tenant` = j.k1 AND t.`code` = j.k2;

-- replay: insert where free
INSERT INTO `shop`.`parts_osc_new` (`tenant`, `code`, `v`)
SELECT t.`tenant`, t.`code`, t.`v` FROM (SELECT DISTINCT j.k1, j.k2
FROM `shop`.`parts_osc_journal` AS j WHERE j.id IN (…)) AS j
STRAIGHT_JOIN `shop`.`parts` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`tenant` = j.k1 AND t.`code` = j.k2
ON DUPLICATE KEY UPDATE `shop`.`parts_osc_new`.`tenant` = `shop`.`parts_osc_new`.`tenant`;

-- replay: what was left out
SELECT j.id FROM `shop`.`parts_osc_journal` AS j FORCE INDEX (PRIMARY)
STRAIGHT_JOIN `shop`.`parts` AS t FORCE INDEX (`PRIMARY`) ON t.`tenant` = j.k1 AND t.`code` = j.k2
LEFT JOIN `shop`.`parts_osc_new` AS s ON s.`tenant` = t.`tenant` AND s.`code` = t.`code`
WHERE j.id IN (…) AND s.`tenant` IS NULL;

-- replay: what is gone
SELECT j.id FROM `shop`.`parts_osc_journal` AS j FORCE INDEX (PRIMARY)
LEFT JOIN `shop`.`parts` AS t FORCE INDEX (`PRIMARY`) ON t.`tenant` = j.k1 AND t.`code` = j.k2
WHERE j.id IN (…) AND t.`tenant` IS NULL;

-- replay: overwrite
INSERT INTO `shop`.`parts_osc_new` (`tenant`, `code`, `v`)
SELECT t.`tenant`, t.`code`, t.`v` FROM (SELECT DISTINCT j.k1, j.k2
FROM `shop`.`parts_osc_journal` AS j WHERE j.id IN (…)) AS j
STRAIGHT_JOIN `shop`.`parts` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`tenant` = j.k1 AND t.`code` = j.k2
ON DUPLICATE KEY UPDATE `shop`.`parts_osc_new`.`tenant` = IF(`shop`.`parts_osc_new`.`tenant` = VALUES(`tenant`) AND `shop`.`parts_osc_new`.`code` = VALUES(`code`), VALUES(`tenant`), (SELECT NULL UNION ALL SELECT NULL)), `shop`.`parts_osc_new`.`code` = VALUES(`code`), `shop`.`parts_osc_new`.`v` = VALUES(`v`);

-- replay: forget
DELETE `shop`.`parts_osc_journal` FROM (SELECT DISTINCT j.id FROM `shop`.`parts_osc_journal` AS j FORCE INDEX (PRIMARY)
WHERE j.id IN (…)) AS e STRAIGHT_JOIN `shop`.`parts_osc_journal` WHERE `shop`.`parts_osc_journal`.id = e.id;

-- settle
DROP TEMPORARY TABLE IF EXISTS `shop`.osc_image;
CREATE TEMPORARY TABLE `shop`.osc_image (n BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB AS SELECT j.k1, j.k2, t.`tenant` IS NOT NULL AS has_row, t.`tenant` AS c1, t.`code` AS c2, t.`v` AS c3
FROM (SELECT DISTINCT j.k1, j.k2 FROM `shop`.`parts_osc_journal` AS j WHERE j.k1 IS NOT NULL) AS j
LEFT JOIN `shop`.`parts` AS t FORCE INDEX (`PRIMARY`) ON t.`tenant` = j.k1 AND t.`code` = j.k2 LIMIT 0;
START TRANSACTION;
INSERT INTO `shop`.osc_image (k1, k2, has_row, c1, c2, c3)
SELECT j.k1, j.k2, t.`tenant` IS NOT NULL AS has_row, t.`tenant` AS c1, t.`code` AS c2, t.`v` AS c3
FROM (SELECT DISTINCT j.k1, j.k2 FROM `shop`.`parts_osc_journal` AS j WHERE j.k1 IS NOT NULL) AS j
LEFT JOIN `shop`.`parts` AS t FORCE INDEX (`PRIMARY`) ON t.`tenant` = j.k1 AND t.`code` = j.k2;
INSERT INTO `shop`.osc_image (k1, k2, has_row, c1, c2, c3)
SELECT j.k1, j.k2, FALSE, NULL, NULL, NULL FROM `shop`.`parts_osc_journal` AS j WHERE FALSE;
DELETE s FROM `shop`.osc_image AS j STRAIGHT_JOIN `shop`.`parts_osc_new` AS s
WHERE s.`tenant` = j.k1 AND s.`code` = j.k2;
INSERT INTO `shop`.`parts_osc_new` (`tenant`, `code`, `v`)
SELECT t.`tenant`, t.`code`, t.`v` FROM (SELECT c1 AS `tenant`, c2 AS `code`, c3 AS `v` FROM `shop`.osc_image
WHERE has_row) AS t;
DELETE `shop`.`parts_osc_journal` FROM (SELECT DISTINCT j.id FROM `shop`.`parts_osc_journal` AS j FORCE INDEX (PRIMARY)
WHERE j.… IN (…)) AS e STRAIGHT_JOIN `shop`.`parts_osc_journal` WHERE `shop`.`parts_osc_journal`.id = e.id;
COMMIT;

-- backlog
SELECT COUNT(*) FROM (SELECT 1 FROM `shop`.`parts_osc_journal` AS j WHERE j.k1 IS NOT NULL LIMIT 4000) AS b;

-- backlog, about
SELECT COALESCE(MAX(TABLE_ROWS), 0) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'schema' AND TABLE_NAME = 'journal';

