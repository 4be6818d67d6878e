CREATE TABLE t (id int PRIMARY KEY, a int, b text);
CREATE TABLE child () INHERITS (t);
