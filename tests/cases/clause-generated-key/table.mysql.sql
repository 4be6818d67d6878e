CREATE TABLE t (a int, b int NOT NULL, k int AS (a + 1) STORED PRIMARY KEY);
