CREATE TABLE parent (id int, a int);
CREATE TABLE t (PRIMARY KEY (id)) INHERITS (parent);
