ADD COLUMN d int, ADD KEY d (d), DROP KEY two
