MODIFY `{v` varchar(7)
