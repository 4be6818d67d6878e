-- journal
CREATE TABLE IF NOT EXISTS `shop`.`big_osc_journal` (k1 bigint unsigned NULL, id BIGINT UNSIGNED NOT NULL DEFAULT (((CONNECTION_ID() & 1023) << 54 | (UUID_SHORT() & 0x3FFFFFFFFFFFFF))) PRIMARY KEY) ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT='osc: keys written while a table is migrated';
INSERT IGNORE INTO `shop`.`big_osc_journal` (id)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 31)
SELECT (a.i << 5 | b.i) << 54 FROM n AS a CROSS JOIN n AS b;

-- triggers
SET SESSION autocommit = 0, wait_timeout = 10 /*M!100300 , idle_transaction_timeout = 10 */;
SET SESSION lock_wait_timeout = 1;
LOCK TABLES `shop`.`big` WRITE, `shop`.`big_osc_journal` WRITE;
CREATE TRIGGER `shop`.`big_osc_ins` AFTER INSERT ON `shop`.`big` FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 BEGIN END; INSERT INTO `shop`.`big_osc_journal` (k1) VALUES (NEW.`id`); END;
CREATE TRIGGER `shop`.`big_osc_upd` AFTER UPDATE ON `shop`.`big` FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 BEGIN END; INSERT INTO `shop`.`big_osc_journal` (k1) VALUES (OLD.`id`); IF NOT (OLD.`id` = NEW.`id`) THEN INSERT INTO `shop`.`big_osc_journal` (k1) VALUES (NEW.`id`); END IF; END;
CREATE TRIGGER `shop`.`big_osc_del` AFTER DELETE ON `shop`.`big` FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 BEGIN END; INSERT INTO `shop`.`big_osc_journal` (k1) VALUES (OLD.`id`); END;
COMMIT;
UNLOCK TABLES;
SET SESSION autocommit = 1, wait_timeout = 604800 /*M!100300 , idle_transaction_timeout = 60 */;

-- chunk of positions
INSERT INTO `shop`.`big_osc_new` (`id`, `v`)
SELECT t.`id`, t.`v` FROM `shop`.`big` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`id` BETWEEN 100 AND 199
ON DUPLICATE KEY UPDATE `shop`.`big_osc_new`.`id` = `shop`.`big_osc_new`.`id`;

-- chunk of keys
INSERT INTO `shop`.`big_osc_new` (`id`, `v`)
SELECT t.`id`, t.`v` FROM `shop`.`big` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`id` > 'low 1' AND t.`id` <= 'end 1'
ON DUPLICATE KEY UPDATE `shop`.`big_osc_new`.`id` = `shop`.`big_osc_new`.`id`;

-- key literals
t.`id`

-- read the journal
SELECT j.id, DENSE_RANK() OVER (ORDER BY j.k1), j.id
FROM (SELECT j.id, j.k1 FROM `shop`.`big_osc_journal` AS j
WHERE j.id > 0 AND j.k1 IS NOT NULL ORDER BY j.id LIMIT 4000) AS j ORDER BY j.id;

-- replay: delete
DELETE s FROM `shop`.`big_osc_journal` AS j FORCE INDEX (PRIMARY)
STRAIGHT_JOIN `shop`.`big_osc_new` AS s WHERE j.id IN (…) AND s.`id` = j.k1;

-- replay: insert
INSERT INTO `shop`.`big_osc_new` (`id`, `v`)
SELECT t.`id`, t.`v` FROM (SELECT DISTINCT j.k1
FROM `shop`.`big_osc_journal` AS j WHERE j.id IN (…)) AS j
STRAIGHT_JOIN `shop`.`big` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`id` = j.k1;

-- replay: insert where free
INSERT INTO `shop`.`big_osc_new` (`id`, `v`)
SELECT t.`id`, t.`v` FROM (SELECT DISTINCT j.k1
FROM `shop`.`big_osc_journal` AS j WHERE j.id IN (…)) AS j
STRAIGHT_JOIN `shop`.`big` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`id` = j.k1
ON DUPLICATE KEY UPDATE `shop`.`big_osc_new`.`id` = `shop`.`big_osc_new`.`id`;

-- replay: what was left out
SELECT j.id FROM `shop`.`big_osc_journal` AS j FORCE INDEX (PRIMARY)
STRAIGHT_JOIN `shop`.`big` AS t FORCE INDEX (`PRIMARY`) ON t.`id` = j.k1
LEFT JOIN `shop`.`big_osc_new` AS s ON s.`id` = t.`id`
WHERE j.id IN (…) AND s.`id` IS NULL;

-- replay: what is gone
SELECT j.id FROM `shop`.`big_osc_journal` AS j FORCE INDEX (PRIMARY)
LEFT JOIN `shop`.`big` AS t FORCE INDEX (`PRIMARY`) ON t.`id` = j.k1
WHERE j.id IN (…) AND t.`id` IS NULL;

-- replay: overwrite
INSERT INTO `shop`.`big_osc_new` (`id`, `v`)
SELECT t.`id`, t.`v` FROM (SELECT DISTINCT j.k1
FROM `shop`.`big_osc_journal` AS j WHERE j.id IN (…)) AS j
STRAIGHT_JOIN `shop`.`big` AS t FORCE INDEX (`PRIMARY`)
WHERE t.`id` = j.k1
ON DUPLICATE KEY UPDATE `shop`.`big_osc_new`.`id` = IF(`shop`.`big_osc_new`.`id` = VALUES(`id`), VALUES(`id`), (SELECT NULL UNION ALL SELECT NULL)), `shop`.`big_osc_new`.`v` = VALUES(`v`);

-- replay: forget
DELETE `shop`.`big_osc_journal` FROM (SELECT DISTINCT j.id FROM `shop`.`big_osc_journal` AS j FORCE INDEX (PRIMARY)
WHERE j.id IN (…)) AS e STRAIGHT_JOIN `shop`.`big_osc_journal` WHERE `shop`.`big_osc_journal`.id = e.id;

-- settle
DROP TEMPORARY TABLE IF EXISTS `shop`.osc_image;
CREATE TEMPORARY TABLE `shop`.osc_image (n BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB AS SELECT j.k1, t.`id` IS NOT NULL AS has_row, t.`id` AS c1, t.`v` AS c2
FROM (SELECT DISTINCT j.k1 FROM `shop`.`big_osc_journal` AS j WHERE j.k1 IS NOT NULL) AS j
LEFT JOIN `shop`.`big` AS t FORCE INDEX (`PRIMARY`) ON t.`id` = j.k1 LIMIT 0;
START TRANSACTION;
INSERT INTO `shop`.osc_image (k1, has_row, c1, c2)
SELECT j.k1, t.`id` IS NOT NULL AS has_row, t.`id` AS c1, t.`v` AS c2
FROM (SELECT DISTINCT j.k1 FROM `shop`.`big_osc_journal` AS j WHERE j.k1 IS NOT NULL) AS j
LEFT JOIN `shop`.`big` AS t FORCE INDEX (`PRIMARY`) ON t.`id` = j.k1;
INSERT INTO `shop`.osc_image (k1, has_row, c1, c2)
SELECT j.k1, FALSE, NULL, NULL FROM `shop`.`big_osc_journal` AS j WHERE FALSE;
DELETE s FROM `shop`.osc_image AS j STRAIGHT_JOIN `shop`.`big_osc_new` AS s
WHERE s.`id` = j.k1;
INSERT INTO `shop`.`big_osc_new` (`id`, `v`)
SELECT t.`id`, t.`v` FROM (SELECT c1 AS `id`, c2 AS `v` FROM `shop`.osc_image
WHERE has_row) AS t;
DELETE `shop`.`big_osc_journal` FROM (SELECT DISTINCT j.id FROM `shop`.`big_osc_journal` AS j FORCE INDEX (PRIMARY)
WHERE j.… IN (…)) AS e STRAIGHT_JOIN `shop`.`big_osc_journal` WHERE `shop`.`big_osc_journal`.id = e.id;
COMMIT;

-- backlog
SELECT COUNT(*) FROM (SELECT 1 FROM `shop`.`big_osc_journal` AS j WHERE j.k1 IS NOT NULL LIMIT 4000) AS b;

-- backlog, about
SELECT COALESCE(MAX(TABLE_ROWS), 0) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'schema' AND TABLE_NAME = 'journal';

