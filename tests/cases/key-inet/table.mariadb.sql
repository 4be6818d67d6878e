CREATE TABLE t (k inet6 PRIMARY KEY, v int);
INSERT INTO t VALUES ('::1', 1), ('::ffff:10.0.0.1', 2), ('::', 3), ('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 4);
