CREATE TABLE "Odd ""x""" (id int PRIMARY KEY, a int);
INSERT INTO "Odd ""x""" SELECT i, i FROM generate_series(1, 9) i;
