-- a range

SELECT COUNT(*), 0,
  (SELECT COUNT(*) FROM `shop`.`orders_osc_new` AS s WHERE s.`id` >= 17 AND (s.`id` > 17 OR (s.`id` = 17 AND (s.`part` > 'a'))) AND s.`id` <= 99 AND (s.`id` < 99 OR (s.`id` = 99 AND (s.`part` <= 'b')))),
  COALESCE(SUM(CASE WHEN s.`id` IS NOT NULL AND TRUE AND IFNULL(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(CAST(t.`id` AS SIGNED), 'N')) = CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(s.`id`, 'N')), FALSE) AND IFNULL(CONCAT_WS(_binary',' COLLATE `binary`, LENGTH(t.`part`), t.`part`) = CONCAT_WS(_binary',' COLLATE `binary`, LENGTH(s.`part`), s.`part`), FALSE) AND IFNULL(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(LENGTH(CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY)), 'N'), CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY)) = CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(LENGTH(s.`name`), 'N'), s.`name`), FALSE) AND IFNULL(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(Point(CAST(t.`price` AS DOUBLE), 0), 'N')) = CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(Point(s.`price`, 0), 'N')), FALSE) AND IFNULL(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(SHA2(t.`data`, 256), 'N')) = CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(SHA2(s.`data`, 256), 'N')), FALSE) THEN 0 ELSE 1 END), 0)
FROM `shop`.`orders` AS t FORCE INDEX (`PRIMARY`)
LEFT JOIN `shop`.`orders_osc_new` AS s ON s.`id` = t.`id` AND s.`part` = t.`part` AND s.`id` >= 17 AND (s.`id` > 17 OR (s.`id` = 17 AND (s.`part` > 'a'))) AND s.`id` <= 99 AND (s.`id` < 99 OR (s.`id` = 99 AND (s.`part` <= 'b'))) WHERE t.`id` >= 17 AND (t.`id` > 17 OR (t.`id` = 17 AND (t.`part` > 'a'))) AND t.`id` <= 99 AND (t.`id` < 99 OR (t.`id` = 99 AND (t.`part` <= 'b')));

-- without the rows in flight

SELECT a.n, a.h, b.n, b.h
FROM (SELECT COUNT(*) AS n, COALESCE(SUM(IFNULL(CAST(CONV(LEFT(SHA2(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(CAST(t.`id` AS SIGNED), 'N'), LENGTH(t.`part`), t.`part`, IFNULL(LENGTH(CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY)), 'N'), CAST(CONVERT((CONVERT(t.`name` USING utf8mb4) COLLATE utf8mb4_bin) USING utf8mb4) AS BINARY), IFNULL(Point(CAST(t.`price` AS DOUBLE), 0), 'N'), IFNULL(SHA2(t.`data`, 256), 'N')), 256), 16), 16, 10) AS UNSIGNED), 100000000000000000000000000000000)), 0) AS h
  FROM `shop`.`orders` AS t FORCE INDEX (`PRIMARY`) WHERE t.`id` >= 17 AND (t.`id` > 17 OR (t.`id` = 17 AND (t.`part` > 'a'))) AND t.`id` <= 99 AND (t.`id` < 99 OR (t.`id` = 99 AND (t.`part` <= 'b')))
  AND NOT EXISTS (SELECT 1 FROM `shop`.`orders_osc_journal` AS j WHERE t.`id` = j.k1 AND t.`part` = j.k2)) AS a,
(SELECT COUNT(*) AS n, COALESCE(SUM(IFNULL(CAST(CONV(LEFT(SHA2(CONCAT_WS(_binary',' COLLATE `binary`, IFNULL(s.`id`, 'N'), LENGTH(s.`part`), s.`part`, IFNULL(LENGTH(s.`name`), 'N'), s.`name`, IFNULL(Point(s.`price`, 0), 'N'), IFNULL(SHA2(s.`data`, 256), 'N')), 256), 16), 16, 10) AS UNSIGNED), 100000000000000000000000000000000)), 0) AS h
  FROM `shop`.`orders_osc_new` AS s WHERE s.`id` >= 17 AND (s.`id` > 17 OR (s.`id` = 17 AND (s.`part` > 'a'))) AND s.`id` <= 99 AND (s.`id` < 99 OR (s.`id` = 99 AND (s.`part` <= 'b')))
  AND NOT EXISTS (SELECT 1 FROM `shop`.`orders_osc_journal` AS j WHERE s.`id` = CAST(j.k1 AS SIGNED) AND s.`part` = j.k2)) AS b;

