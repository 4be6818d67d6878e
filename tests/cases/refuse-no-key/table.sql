CREATE TABLE t (a int, b int NOT NULL);
CREATE INDEX t_b ON t (b);
INSERT INTO t VALUES (1, 1), (NULL, 2), (NULL, 2);
