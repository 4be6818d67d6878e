ADD CONSTRAINT positive CHECK (v > 0)
