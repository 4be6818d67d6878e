ADD KEY a (a), ADD UNIQUE KEY ab (a, b(5)), ADD COLUMN c int UNIQUE
