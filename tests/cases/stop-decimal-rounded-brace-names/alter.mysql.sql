MODIFY `{v` decimal(10,1)
