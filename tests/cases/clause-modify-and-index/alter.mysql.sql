MODIFY a bigint NOT NULL DEFAULT 5 COMMENT 'a, b', DROP KEY ka, ADD KEY ka (b, a)
