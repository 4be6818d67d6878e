CREATE TABLE t (id int PRIMARY KEY, w int, gone int, a real, b double precision);
INSERT INTO t VALUES (1, 1, 1, 3.4028235e38, 1.7976931348623157e308), (2, 1, 1, 1e-45, 4.9e-324), (3, NULL, NULL, NULL, NULL), (4, 0, 0, '-0', '-0'), (5, 0, 0, 'NaN', 'NaN'), (6, 0, 0, 'Infinity', '-Infinity'), (7, 0, 0, 0.1, 0.30000000000000004), (8, 0, 0, 0, 0), (9, 0, 0, 16777217, 9007199254740993);
