RENAME COLUMN id TO "the key"
