CREATE TYPE mood AS ENUM ('b', 'a', '1', '0', '', 'é');
CREATE TABLE t (id int PRIMARY KEY, w int, gone int, a mood, b mood[], d mood NOT NULL DEFAULT '1');
INSERT INTO t VALUES (1, 1, 1, '1', '{b,"",é}', 'a'), (2, 1, 1, '', '{}', 'b'), (3, NULL, NULL, NULL, NULL, '0');
ALTER TYPE mood ADD VALUE 'first' BEFORE 'b';
INSERT INTO t VALUES (4, 1, 1, 'first', '{first,NULL}', 'first');
