CREATE FUNCTION five() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 5';
CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT 5, b varchar(20) DEFAULT 'it''s \ "x"', c varchar(20) DEFAULT '', d text NOT NULL, e timestamp DEFAULT now(), f int DEFAULT five() + 1, g text DEFAULT upper('a') || 'b', h text[] DEFAULT ARRAY['a'], i date DEFAULT '2024-01-01', j jsonb DEFAULT '{}');
INSERT INTO t (id, d, e) SELECT i, '', '2000-01-01' FROM generate_series(1, 20) i;
