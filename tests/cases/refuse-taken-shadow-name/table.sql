CREATE TABLE t (id int PRIMARY KEY, a int);
CREATE TABLE t_osc_old (id int PRIMARY KEY);
