MODIFY a varchar(20) CHARACTER SET latin1
