MODIFY v varchar(10) CHARACTER SET latin1
