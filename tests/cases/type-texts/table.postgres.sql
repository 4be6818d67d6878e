CREATE TABLE t (id int PRIMARY KEY, w int, gone int, a char(10), b varchar(10), c text, d name, e text COLLATE "C", f bpchar, g xml, h tsvector, i tsquery);
INSERT INTO t VALUES (1, 1, 1, '', '', '', '', '', '', '', '', ''), (2, 1, 1, 'x  ', 'x  ', 'é', '😀', '日本\''"', 'a  ', '<a b="c">d &amp; e</a>', 'a:1A fat:2B,4C ''it''''s'':7', 'fat & (rat | cat) & !dog'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (4, 1, 1, ' x', E'\n\r\t', 'NULL', '\N', '%', '_', 'text', 'simple', 'a <-> b');
INSERT INTO t (id, c) SELECT 5, repeat('ab', 40000);
