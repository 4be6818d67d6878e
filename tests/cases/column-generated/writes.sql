UPDATE t SET a = a + 1 WHERE id < 10;
INSERT INTO t (id, a) SELECT MAX(id) + 1, NULL FROM t;
