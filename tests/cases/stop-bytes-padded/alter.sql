MODIFY v binary(5)
