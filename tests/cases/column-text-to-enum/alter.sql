MODIFY a enum('2', 'b', '1')
