ADD COLUMN d varchar(60) DEFAULT 'RENAME COLUMN a TO x, CHANGE b y int', /* RENAME COLUMN b TO y */
  ADD COLUMN e int COMMENT 'it''s "CHANGE a q int"' -- CHANGE a w int
  , RENAME COLUMN c TO `rename` # , CHANGE b bb int
