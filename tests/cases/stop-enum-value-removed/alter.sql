MODIFY v enum('a', 'c')
