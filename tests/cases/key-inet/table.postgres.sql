CREATE TABLE t (k inet, m macaddr, c cidr, v int, PRIMARY KEY (k, m, c));
INSERT INTO t VALUES ('10.0.0.1', '08:00:2b:01:02:03', '10.0.0.0/8', 1), ('10.0.0.1/8', '08:00:2b:01:02:03', '10.0.0.0/16', 2), ('::1', 'ff:ff:ff:ff:ff:ff', '::/0', 3), ('fe80::/10', '00:00:00:00:00:00', '2001:db8::/32', 4);
