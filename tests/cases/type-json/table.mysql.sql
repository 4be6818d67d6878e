CREATE TABLE t (id int PRIMARY KEY, w int, gone int, a json, b json);
INSERT INTO t VALUES (1, 1, 1, '{"b": 1, "a": [1, 2.50, "é\\u0000\\"", null, true]}', '[]'), (2, 1, 1, 'null', '""'), (3, NULL, NULL, NULL, NULL), (4, 1, 1, '18446744073709551615', '1e100'), (5, 1, 1, '{"dup": 1, "dup": 2}', ' { "space" : 1 } '), (6, 1, 1, '0.1', '-0'), (7, 1, 1, '9007199254740993', '[1.0, 1, 1e0]');
