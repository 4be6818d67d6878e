-- journal
CREATE TABLE IF NOT EXISTS `shop`.`odd "``' name_osc_journal` (k1 bigint NULL, id BIGINT UNSIGNED NOT NULL DEFAULT (((CONNECTION_ID() & 1023) << 54 | (UUID_SHORT() & 0x3FFFFFFFFFFFFF))) PRIMARY KEY) ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT='osc: keys written while a table is migrated';
INSERT IGNORE INTO `shop`.`odd "``' name_osc_journal` (id)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 31)
SELECT (a.i << 5 | b.i) << 54 FROM n AS a CROSS JOIN n AS b;

-- triggers
SET SESSION autocommit = 0, wait_timeout = 10 /*M!100300 , idle_transaction_timeout = 10 */;
SET SESSION lock_wait_timeout = 1;
LOCK TABLES `shop`.`odd "``' name` WRITE, `shop`.`odd "``' name_osc_journal` WRITE;
CREATE TRIGGER `shop`.`odd "``' name_osc_ins` AFTER INSERT ON `shop`.`odd "``' name` FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 BEGIN END; INSERT INTO `shop`.`odd "``' name_osc_journal` (k1) VALUES (NEW.`se"lect`` id`); END;
CREATE TRIGGER `shop`.`odd "``' name_osc_upd` AFTER UPDATE ON `shop`.`odd "``' name` FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 BEGIN END; INSERT INTO `shop`.`odd "``' name_osc_journal` (k1) VALUES (OLD.`se"lect`` id`); IF NOT (OLD.`se"lect`` id` = NEW.`se"lect`` id`) THEN INSERT INTO `shop`.`odd "``' name_osc_journal` (k1) VALUES (NEW.`se"lect`` id`); END IF; END;
CREATE TRIGGER `shop`.`odd "``' name_osc_del` AFTER DELETE ON `shop`.`odd "``' name` FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 BEGIN END; INSERT INTO `shop`.`odd "``' name_osc_journal` (k1) VALUES (OLD.`se"lect`` id`); END;
COMMIT;
UNLOCK TABLES;
SET SESSION autocommit = 1, wait_timeout = 604800 /*M!100300 , idle_transaction_timeout = 60 */;

-- chunk of positions
INSERT INTO `shop`.`odd "``' name_osc_new` (`se"lect`` id`, `from`)
SELECT t.`se"lect`` id`, t.`from` FROM `shop`.`odd "``' name` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`se"lect`` id` BETWEEN -9223372036854775708 AND -9223372036854775609
ON DUPLICATE KEY UPDATE `shop`.`odd "``' name_osc_new`.`se"lect`` id` = `shop`.`odd "``' name_osc_new`.`se"lect`` id`;

-- chunk of keys
INSERT INTO `shop`.`odd "``' name_osc_new` (`se"lect`` id`, `from`)
SELECT t.`se"lect`` id`, t.`from` FROM `shop`.`odd "``' name` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`se"lect`` id` > 'low 1' AND t.`se"lect`` id` <= 'end 1'
ON DUPLICATE KEY UPDATE `shop`.`odd "``' name_osc_new`.`se"lect`` id` = `shop`.`odd "``' name_osc_new`.`se"lect`` id`;

-- key literals
t.`se"lect`` id`

-- read the journal
SELECT j.id, DENSE_RANK() OVER (ORDER BY j.k1), j.id
FROM (SELECT j.id, j.k1 FROM `shop`.`odd "``' name_osc_journal` AS j
WHERE j.id > 0 AND j.k1 IS NOT NULL ORDER BY j.id LIMIT 4000) AS j ORDER BY j.id;

-- replay: delete
DELETE s FROM `shop`.`odd "``' name_osc_journal` AS j FORCE INDEX (PRIMARY)
STRAIGHT_JOIN `shop`.`odd "``' name_osc_new` AS s WHERE j.id IN (…) AND s.`se"lect`` id` = j.k1;

-- replay: insert
INSERT INTO `shop`.`odd "``' name_osc_new` (`se"lect`` id`, `from`)
SELECT t.`se"lect`` id`, t.`from` FROM (SELECT DISTINCT j.k1
FROM `shop`.`odd "``' name_osc_journal` AS j WHERE j.id IN (…)) AS j
STRAIGHT_JOIN `shop`.`odd "``' name` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`se"lect`` id` = j.k1;

-- replay: insert where free
INSERT INTO `shop`.`odd "``' name_osc_new` (`se"lect`` id`, `from`)
SELECT t.`se"lect`` id`, t.`from` FROM (SELECT DISTINCT j.k1
FROM `shop`.`odd "``' name_osc_journal` AS j WHERE j.id IN (…)) AS j
STRAIGHT_JOIN `shop`.`odd "``' name` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`se"lect`` id` = j.k1
ON DUPLICATE KEY UPDATE `shop`.`odd "``' name_osc_new`.`se"lect`` id` = `shop`.`odd "``' name_osc_new`.`se"lect`` id`;

-- replay: what was left out
SELECT j.id FROM `shop`.`odd "``' name_osc_journal` AS j FORCE INDEX (PRIMARY)
STRAIGHT_JOIN `shop`.`odd "``' name` AS t FORCE INDEX (`PRIMARY`) ON t.`se"lect`` id` = j.k1
LEFT JOIN `shop`.`odd "``' name_osc_new` AS s ON s.`se"lect`` id` = t.`se"lect`` id`
WHERE j.id IN (…) AND s.`se"lect`` id` IS NULL;

-- replay: what is gone
SELECT j.id FROM `shop`.`odd "``' name_osc_journal` AS j FORCE INDEX (PRIMARY)
LEFT JOIN `shop`.`odd "``' name` AS t FORCE INDEX (`PRIMARY`) ON t.`se"lect`` id` = j.k1
WHERE j.id IN (…) AND t.`se"lect`` id` IS NULL;

-- replay: overwrite
INSERT INTO `shop`.`odd "``' name_osc_new` (`se"lect`` id`, `from`)
SELECT t.`se"lect`` id`, t.`from` FROM (SELECT DISTINCT j.k1
FROM `shop`.`odd "``' name_osc_journal` AS j WHERE j.id IN (…)) AS j
STRAIGHT_JOIN `shop`.`odd "``' name` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`se"lect`` id` = j.k1
ON DUPLICATE KEY UPDATE `shop`.`odd "``' name_osc_new`.`se"lect`` id` = IF(`shop`.`odd "``' name_osc_new`.`se"lect`` id` = VALUES(`se"lect`` id`), VALUES(`se"lect`` id`), (SELECT NULL UNION ALL SELECT NULL)), `shop`.`odd "``' name_osc_new`.`from` = VALUES(`from`);

-- replay: forget
DELETE `shop`.`odd "``' name_osc_journal` FROM (SELECT DISTINCT j.id FROM `shop`.`odd "``' name_osc_journal` AS j FORCE INDEX (PRIMARY)
WHERE j.id IN (…)) AS e STRAIGHT_JOIN `shop`.`odd "``' name_osc_journal` WHERE `shop`.`odd "``' name_osc_journal`.id = e.id;

-- settle
DROP TEMPORARY TABLE IF EXISTS `shop`.osc_image;
CREATE TEMPORARY TABLE `shop`.osc_image (n BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB AS SELECT j.k1, t.`se"lect`` id` IS NOT NULL AS has_row, t.`se"lect`` id` AS c1, t.`from` AS c2
FROM (SELECT DISTINCT j.k1 FROM `shop`.`odd "``' name_osc_journal` AS j WHERE j.k1 IS NOT NULL) AS j
LEFT JOIN `shop`.`odd "``' name` AS t FORCE INDEX (`PRIMARY`) ON t.`se"lect`` id` = j.k1 LIMIT 0;
START TRANSACTION;
INSERT INTO `shop`.osc_image (k1, has_row, c1, c2)
SELECT j.k1, t.`se"lect`` id` IS NOT NULL AS has_row, t.`se"lect`` id` AS c1, t.`from` AS c2
FROM (SELECT DISTINCT j.k1 FROM `shop`.`odd "``' name_osc_journal` AS j WHERE j.k1 IS NOT NULL) AS j
LEFT JOIN `shop`.`odd "``' name` AS t FORCE INDEX (`PRIMARY`) ON t.`se"lect`` id` = j.k1;
INSERT INTO `shop`.osc_image (k1, has_row, c1, c2)
SELECT j.k1, FALSE, NULL, NULL FROM `shop`.`odd "``' name_osc_journal` AS j WHERE FALSE;
DELETE s FROM `shop`.osc_image AS j STRAIGHT_JOIN `shop`.`odd "``' name_osc_new` AS s
WHERE s.`se"lect`` id` = j.k1;
INSERT INTO `shop`.`odd "``' name_osc_new` (`se"lect`` id`, `from`)
SELECT t.`se"lect`` id`, t.`from` FROM (SELECT c1 AS `se"lect`` id`, c2 AS `from` FROM `shop`.osc_image
WHERE has_row) AS t;
DELETE `shop`.`odd "``' name_osc_journal` FROM (SELECT DISTINCT j.id FROM `shop`.`odd "``' name_osc_journal` AS j FORCE INDEX (PRIMARY)
WHERE j.… IN (…)) AS e STRAIGHT_JOIN `shop`.`odd "``' name_osc_journal` WHERE `shop`.`odd "``' name_osc_journal`.id = e.id;
COMMIT;

-- backlog
SELECT COUNT(*) FROM (SELECT 1 FROM `shop`.`odd "``' name_osc_journal` AS j WHERE j.k1 IS NOT NULL LIMIT 4000) AS b;

-- backlog, about
SELECT COALESCE(MAX(TABLE_ROWS), 0) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'schema' AND TABLE_NAME = 'journal';

