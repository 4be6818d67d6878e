MODIFY id int unsigned NOT NULL
