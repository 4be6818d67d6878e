CREATE TABLE t (id int PRIMARY KEY, a int, b text);
CREATE PUBLICATION pub_cases FOR TABLE t;
