CREATE TABLE t (id int PRIMARY KEY, w int, gone int, a numeric, b numeric(1000,999), c numeric(5,2));
INSERT INTO t VALUES (1, 1, 1, 'NaN', 0, 999.99), (2, 1, 1, 'Infinity', 1.5, -999.99), (3, NULL, NULL, NULL, NULL, NULL), (4, 0, 0, '-Infinity', -9, 0), (5, 0, 0, 1.500, 0, 0.1), (6, 0, 0, 1.5, 0, 0.10), (7, 0, 0, 1e1000, 0, 'NaN'), (8, 0, 0, 1e-1000, 0, 0), (9, 0, 0, 0.000, 0, 0);
