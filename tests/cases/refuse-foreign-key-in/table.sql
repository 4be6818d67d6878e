CREATE TABLE t (id int PRIMARY KEY, a int);
CREATE TABLE child (id int PRIMARY KEY, a int, CONSTRAINT from_child FOREIGN KEY (a) REFERENCES t (id));
