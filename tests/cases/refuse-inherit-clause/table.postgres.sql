CREATE TABLE t (id int PRIMARY KEY, a int, b text);
CREATE TABLE parent (id int);
