CREATE TABLE t (name varchar(40) NOT NULL, id int NOT NULL, v int, PRIMARY KEY (id, name));
INSERT INTO t (id, name, v) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i % 7, CONCAT('name ', i), i FROM n;
INSERT INTO t (id, name, v) VALUES (1, '', 0), (2, ' ', 0), (-1, '''', 0), (1, 'a|b', 0), (1, 'NULL', 0);
