CREATE TABLE t (id int PRIMARY KEY, v varchar(20));
CREATE INDEX t_v ON t (v);
