CREATE TABLE t (id serial PRIMARY KEY, n bigserial, v int);
INSERT INTO t (v) SELECT i FROM generate_series(1, 20) i;
DELETE FROM t WHERE v > 15;
COMMENT ON SEQUENCE t_n_seq IS 'counts';
GRANT USAGE ON SEQUENCE t_id_seq TO PUBLIC;
