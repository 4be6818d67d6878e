CREATE TYPE mood AS ENUM ('10', '2', 'b', 'a', '1');
CREATE TABLE t (k mood, l mood, v int, PRIMARY KEY (k, l));
INSERT INTO t VALUES ('10', 'a', 1), ('2', 'a', 2), ('b', '1', 3), ('a', 'a', 4), ('1', 'b', 5), ('1', 'a', 6);
