DROP COLUMN id, ADD COLUMN new_id int
