ADD COLUM a int
