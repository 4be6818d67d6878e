MODIFY a enum('c', 'new', 'b', 'a'), MODIFY b set('y', 'z', 'x')
