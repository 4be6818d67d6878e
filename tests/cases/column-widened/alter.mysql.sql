MODIFY a bigint, MODIFY b text, MODIFY c decimal(10,4), MODIFY d double, MODIFY e varchar(10)
