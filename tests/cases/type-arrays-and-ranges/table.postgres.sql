CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE TABLE t (id int PRIMARY KEY, w int, gone int, a int[], b text[][], c pair, d pair[], e int4range, f tstzrange, g int8multirange, h posint[], i numrange, j daterange[]);
INSERT INTO t VALUES (1, 1, 1, '{1,NULL,3}', '{{a,"b,c"},{"NULL",NULL}}', '(1,"x,y")', ARRAY[ROW(1,'a')::pair, NULL], '[1,5)', '[2024-01-01,infinity)', '{[1,2],[5,6]}', '{1,2}', '(1.10,2.0]', '{"[2024-01-01,2024-02-01)"}'), (2, 1, 1, '{}', '{}', '(,)', '{}', 'empty', '(,)', '{}', '{}', 'empty', '{}'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (4, 1, 1, '[-2:0]={1,2,3}', '{{"\"","\\"}}', ROW(NULL, ''), '{"(,\"\")"}', '(,5)', '[-infinity,infinity]', NULL, NULL, '[1.1,1.10]', NULL);
