CREATE TABLE t (id int PRIMARY KEY, a int, b text);
CREATE FUNCTION takes(t) RETURNS int LANGUAGE sql AS 'SELECT $1.a';
CREATE TABLE other (r t);
