CREATE TABLE t (k time, z timetz, i interval, v int, PRIMARY KEY (k, z, i));
INSERT INTO t VALUES ('00:00', '00:00+14', '-1 mon', 1), ('24:00', '23:59:59.999999-12', '1 mon -30 days', 2), ('12:00:00.000001', '12:00+00', '178000000 years', 3), ('12:00', '12:00+01', '0', 4);
