SET sql_generate_invisible_primary_key = ON;
CREATE TABLE t (a int, b int);
INSERT INTO t VALUES (1, 1), (2, 2), (1, 1);
