ADD UNIQUE (a), ADD UNIQUE ("cccccccccccccccccccccccccccccccccccccccc"), ADD CHECK (a > 0), ADD COLUMN s serial, ADD COLUMN i int GENERATED ALWAYS AS IDENTITY
