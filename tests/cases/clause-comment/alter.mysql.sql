COMMENT = 'it''s "new" \\ é'
