-- a range

SELECT a.n, a.h, b.n, b.h
FROM (SELECT COUNT(*) AS n, COALESCE(SUM(IFNULL(CAST(CONV(LEFT(SHA2(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(CAST(t.`id` AS SIGNED), 'N'), LENGTH(t.`part`), t.`part`, IFNULL(LENGTH(CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY)), 'N'), CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY), IFNULL(Point(CAST(t.`price` AS DOUBLE), 0), 'N'), IFNULL(SHA2(t.`data`, 256), 'N')), 256), 16), 16, 10) AS UNSIGNED), 100000000000000000000000000000000)), 0) AS h
  FROM `shop`.`orders` AS t FORCE INDEX (`PRIMARY`) WHERE t.`id` >= 17 AND (t.`id` > 17 OR (t.`id` = 17 AND (t.`part` > 'a'))) AND t.`id` <= 99 AND (t.`id` < 99 OR (t.`id` = 99 AND (t.`part` <= 'b')))) AS a,
(SELECT COUNT(*) AS n, COALESCE(SUM(IFNULL(CAST(CONV(LEFT(SHA2(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(s.`id`, 'N'), LENGTH(s.`part`), s.`part`, IFNULL(LENGTH(s.`name`), 'N'), s.`name`, IFNULL(Point(s.`price`, 0), 'N'), IFNULL(SHA2(s.`data`, 256), 'N')), 256), 16), 16, 10) AS UNSIGNED), 100000000000000000000000000000000)), 0) AS h
  FROM `shop`.`orders_osc_new` AS s WHERE s.`id` >= 17 AND (s.`id` > 17 OR (s.`id` = 17 AND (s.`part` > 'a'))) AND s.`id` <= 99 AND (s.`id` < 99 OR (s.`id` = 99 AND (s.`part` <= 'b')))) AS b;

-- without the rows in flight

SELECT a.n, a.h, b.n, b.h
FROM (SELECT COUNT(*) AS n, COALESCE(SUM(IFNULL(CAST(CONV(LEFT(SHA2(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(CAST(t.`id` AS SIGNED), 'N'), LENGTH(t.`part`), t.`part`, IFNULL(LENGTH(CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY)), 'N'), CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY), IFNULL(Point(CAST(t.`price` AS DOUBLE), 0), 'N'), IFNULL(SHA2(t.`data`, 256), 'N')), 256), 16), 16, 10) AS UNSIGNED), 100000000000000000000000000000000)), 0) AS h
  FROM `shop`.`orders` AS t FORCE INDEX (`PRIMARY`) WHERE t.`id` >= 17 AND (t.`id` > 17 OR (t.`id` = 17 AND (t.`part` > 'a'))) AND t.`id` <= 99 AND (t.`id` < 99 OR (t.`id` = 99 AND (t.`part` <= 'b')))
  AND NOT EXISTS (SELECT 1 FROM `shop`.`orders_osc_journal` AS j WHERE t.`id` = j.k1 AND t.`part` = j.k2)) AS a,
(SELECT COUNT(*) AS n, COALESCE(SUM(IFNULL(CAST(CONV(LEFT(SHA2(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(s.`id`, 'N'), LENGTH(s.`part`), s.`part`, IFNULL(LENGTH(s.`name`), 'N'), s.`name`, IFNULL(Point(s.`price`, 0), 'N'), IFNULL(SHA2(s.`data`, 256), 'N')), 256), 16), 16, 10) AS UNSIGNED), 100000000000000000000000000000000)), 0) AS h
  FROM `shop`.`orders_osc_new` AS s WHERE s.`id` >= 17 AND (s.`id` > 17 OR (s.`id` = 17 AND (s.`part` > 'a'))) AND s.`id` <= 99 AND (s.`id` < 99 OR (s.`id` = 99 AND (s.`part` <= 'b')))
  AND NOT EXISTS (SELECT 1 FROM `shop`.`orders_osc_journal` AS j WHERE s.`id` = CAST(j.k1 AS SIGNED) AND s.`part` = j.k2)) AS b;

-- its rows that differ, and the columns of one

SELECT MIN(e.a0), e.b0, MIN(e.c0), MIN(e.a1), e.b1, MIN(e.c1), MAX(e.side), MIN(e.side)
FROM (SELECT MIN(d.a0) AS a0, MIN(d.b0) AS b0, MIN(d.c0) AS c0, MIN(d.a1) AS a1, MIN(d.b1) AS b1, MIN(d.c1) AS c1, SUM(d.side) AS side
  FROM (SELECT CAST(t.`id` AS BINARY) AS a0, CAST(CAST(t.`id` AS SIGNED) AS BINARY) AS b0, CAST(CAST(t.`id` AS SIGNED) AS CHAR) AS c0, CAST(CONCAT('(_latin1 ', IF(CONVERT(t.`part` USING utf8mb4) RLIKE '^[ -&(-Z^-~]*$', CONCAT('''', CONVERT(t.`part` USING utf8mb4), ''''), CONCAT('x''', HEX(t.`part`), '''')), ' COLLATE latin1_bin)') AS BINARY) AS a1, CAST(CONCAT('(_latin1 ', IF(CONVERT(t.`part` USING utf8mb4) RLIKE '^[ -&(-Z^-~]*$', CONCAT('''', CONVERT(t.`part` USING utf8mb4), ''''), CONCAT('x''', HEX(t.`part`), '''')), ' COLLATE latin1_bin)') AS BINARY) AS b1, CAST(t.`part` AS CHAR) AS c1, IFNULL(CAST(CONV(LEFT(SHA2(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(CAST(t.`id` AS SIGNED), 'N'), LENGTH(t.`part`), t.`part`, IFNULL(LENGTH(CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY)), 'N'), CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY), IFNULL(Point(CAST(t.`price` AS DOUBLE), 0), 'N'), IFNULL(SHA2(t.`data`, 256), 'N')), 256), 16), 16, 10) AS UNSIGNED), 100000000000000000000000000000000) AS h, 1 AS side
    FROM `shop`.`orders` AS t FORCE INDEX (`PRIMARY`) WHERE t.`id` >= 17 AND (t.`id` > 17 OR (t.`id` = 17 AND (t.`part` > 'a'))) AND t.`id` <= 99 AND (t.`id` < 99 OR (t.`id` = 99 AND (t.`part` <= 'b')))
  AND NOT EXISTS (SELECT 1 FROM `shop`.`orders_osc_journal` AS j WHERE t.`id` = j.k1 AND t.`part` = j.k2)
    UNION ALL SELECT NULL AS a0, CAST(s.`id` AS BINARY) AS b0, CAST(s.`id` AS CHAR) AS c0, NULL AS a1, CAST(CONCAT('(_latin1 ', IF(CONVERT(s.`part` USING utf8mb4) RLIKE '^[ -&(-Z^-~]*$', CONCAT('''', CONVERT(s.`part` USING utf8mb4), ''''), CONCAT('x''', HEX(s.`part`), '''')), ' COLLATE latin1_bin)') AS BINARY) AS b1, CAST(s.`part` AS CHAR) AS c1, IFNULL(CAST(CONV(LEFT(SHA2(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(s.`id`, 'N'), LENGTH(s.`part`), s.`part`, IFNULL(LENGTH(s.`name`), 'N'), s.`name`, IFNULL(Point(s.`price`, 0), 'N'), IFNULL(SHA2(s.`data`, 256), 'N')), 256), 16), 16, 10) AS UNSIGNED), 100000000000000000000000000000000), -1
    FROM `shop`.`orders_osc_new` AS s WHERE s.`id` >= 17 AND (s.`id` > 17 OR (s.`id` = 17 AND (s.`part` > 'a'))) AND s.`id` <= 99 AND (s.`id` < 99 OR (s.`id` = 99 AND (s.`part` <= 'b')))
  AND NOT EXISTS (SELECT 1 FROM `shop`.`orders_osc_journal` AS j WHERE s.`id` = CAST(j.k1 AS SIGNED) AND s.`part` = j.k2)) AS d
  GROUP BY d.h HAVING SUM(d.side) <> 0) AS e
GROUP BY e.b0, e.b1 ORDER BY e.b0, e.b1;

SELECT CASE WHEN NOT (CONCAT_WS(_binary',' COLLATE `binary`, CAST(t.`id` AS SIGNED)) <=> CONCAT_WS(_binary',' COLLATE `binary`, s.`id`)) THEN 1 ELSE 0 END, CASE WHEN NOT (CONCAT_WS(_binary',' COLLATE `binary`, LENGTH(t.`part`), t.`part`) <=> CONCAT_WS(_binary',' COLLATE `binary`, LENGTH(s.`part`), s.`part`)) THEN 1 ELSE 0 END, CASE WHEN NOT (CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(LENGTH(CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY)), 'N'), CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY)) <=> CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(LENGTH(s.`name`), 'N'), s.`name`)) THEN 1 ELSE 0 END, CASE WHEN NOT (CONCAT_WS(_binary',' COLLATE `binary`, Point(CAST(t.`price` AS DOUBLE), 0)) <=> CONCAT_WS(_binary',' COLLATE `binary`, Point(s.`price`, 0))) THEN 1 ELSE 0 END, CASE WHEN NOT (CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(SHA2(t.`data`, 256), 'N')) <=> CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(SHA2(s.`data`, 256), 'N'))) THEN 1 ELSE 0 END FROM `shop`.`orders` AS t, `shop`.`orders_osc_new` AS s WHERE t.`id` = 7 AND s.`id` = 7 AND t.`part` = 'x' AND s.`part` = 'x';

-- repair

INSERT INTO `shop`.`orders_osc_journal` (k1, k2)
SELECT t.`id`, t.`part` FROM `shop`.`orders` AS t FORCE INDEX (`PRIMARY`) WHERE t.`id` >= 17 AND (t.`id` > 17 OR (t.`id` = 17 AND (t.`part` > 'a'))) AND t.`id` <= 99 AND (t.`id` < 99 OR (t.`id` = 99 AND (t.`part` <= 'b')))
  AND NOT EXISTS (SELECT 1 FROM `shop`.`orders_osc_new` AS s
    WHERE s.`id` = CAST(t.`id` AS SIGNED) AND s.`part` = t.`part` AND s.`id` >= 17 AND (s.`id` > 17 OR (s.`id` = 17 AND (s.`part` > 'a'))) AND s.`id` <= 99 AND (s.`id` < 99 OR (s.`id` = 99 AND (s.`part` <= 'b'))) AND IFNULL(CAST(CONV(LEFT(SHA2(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(s.`id`, 'N'), LENGTH(s.`part`), s.`part`, IFNULL(LENGTH(s.`name`), 'N'), s.`name`, IFNULL(Point(s.`price`, 0), 'N'), IFNULL(SHA2(s.`data`, 256), 'N')), 256), 16), 16, 10) AS UNSIGNED), 100000000000000000000000000000000) = IFNULL(CAST(CONV(LEFT(SHA2(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(CAST(t.`id` AS SIGNED), 'N'), LENGTH(t.`part`), t.`part`, IFNULL(LENGTH(CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY)), 'N'), CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY), IFNULL(Point(CAST(t.`price` AS DOUBLE), 0), 'N'), IFNULL(SHA2(t.`data`, 256), 'N')), 256), 16), 16, 10) AS UNSIGNED), 100000000000000000000000000000000));

INSERT INTO `shop`.`orders_osc_journal` (k1, k2)
SELECT CAST(s.`id` AS SIGNED), s.`part` FROM `shop`.`orders_osc_new` AS s WHERE s.`id` >= 17 AND (s.`id` > 17 OR (s.`id` = 17 AND (s.`part` > 'a'))) AND s.`id` <= 99 AND (s.`id` < 99 OR (s.`id` = 99 AND (s.`part` <= 'b')))
  AND NOT EXISTS (SELECT 1 FROM `shop`.`orders` AS t WHERE s.`id` = CAST(t.`id` AS SIGNED) AND s.`part` = t.`part` AND t.`id` >= 17 AND (t.`id` > 17 OR (t.`id` = 17 AND (t.`part` > 'a'))) AND t.`id` <= 99 AND (t.`id` < 99 OR (t.`id` = 99 AND (t.`part` <= 'b'))));

