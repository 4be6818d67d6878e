RENAME COLUMN "to" TO "column ""x"
