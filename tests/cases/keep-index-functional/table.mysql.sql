CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(20), j json, KEY f ((a + 1)), KEY g ((LOWER(b)), a), KEY m ((CAST(j->'$.x' AS UNSIGNED ARRAY))));
INSERT INTO t VALUES (1, 1, 'X', '{"x": [1, 2]}');
