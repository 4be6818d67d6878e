MODIFY a varchar(10), MODIFY b varchar(10)
