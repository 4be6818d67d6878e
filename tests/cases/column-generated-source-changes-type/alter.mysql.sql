MODIFY a bigint
