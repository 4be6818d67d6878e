CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(100), c text, KEY p (b(7)), KEY two (a, b(3)), UNIQUE KEY u (a, id), KEY big (c(50)), KEY h (a) USING HASH, KEY cm (b) COMMENT 'odd'' "one');
INSERT INTO t VALUES (1, 1, 'x', 'y'), (2, 2, NULL, NULL);
