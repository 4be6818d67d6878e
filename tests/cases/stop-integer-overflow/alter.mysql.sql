MODIFY v smallint
