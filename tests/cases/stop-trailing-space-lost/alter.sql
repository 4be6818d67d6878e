MODIFY v char(10)
