ALTER COLUMN a SET DEFAULT nextval('other')
