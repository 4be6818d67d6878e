MODIFY a varbinary(20), MODIFY b blob
