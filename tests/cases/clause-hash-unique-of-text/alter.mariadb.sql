ADD UNIQUE KEY long_b (b)
