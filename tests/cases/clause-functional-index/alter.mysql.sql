ADD KEY f ((a * 2)), ADD UNIQUE KEY g ((LOWER(b)))
