MODIFY v binary(8)
