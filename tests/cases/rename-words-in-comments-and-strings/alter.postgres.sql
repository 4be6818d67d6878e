ADD COLUMN d varchar(60) DEFAULT 'RENAME COLUMN a TO x', /* RENAME COLUMN b TO y /* nested */ */
  ADD COLUMN e text DEFAULT $q$it's RENAME COLUMN a TO x$q$ -- RENAME COLUMN a TO w
