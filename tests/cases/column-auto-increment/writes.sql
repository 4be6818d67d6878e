INSERT INTO t (v) VALUES ('x');
DELETE FROM t WHERE v = 'one';
