CREATE TABLE t (id int PRIMARY KEY, w int, gone int, a uuid, b inet6, c inet4);
INSERT INTO t VALUES (1, 1, 1, '00112233-4455-6677-8899-aabbccddeeff', '2001:db8::5c27', '255.255.255.255'), (2, 1, 1, '00000000-0000-0000-0000-000000000000', '::', '0.0.0.0'), (3, NULL, NULL, NULL, NULL, NULL);
