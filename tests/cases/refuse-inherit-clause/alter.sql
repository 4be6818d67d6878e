INHERIT parent
