INSERT INTO t (id, b, d, e) VALUES (1000, 'b', 'd', '2001-01-01');
