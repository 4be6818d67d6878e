DO $$ BEGIN CREATE ROLE cases_owner; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE "cases Reader"; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
GRANT ALL ON SCHEMA public TO cases_owner;
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, b text);
INSERT INTO t (a, b) SELECT i, 'b' FROM generate_series(1, 20) i;

ALTER TABLE t OWNER TO cases_owner;
GRANT SELECT ON t TO PUBLIC;
GRANT INSERT, UPDATE ON t TO "cases Reader" WITH GRANT OPTION;
GRANT SELECT (a), UPDATE (b) ON t TO "cases Reader";
REVOKE DELETE ON t FROM cases_owner;
GRANT USAGE ON SEQUENCE t_id_seq TO "cases Reader";
