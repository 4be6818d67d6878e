ALTER COLUMN v TYPE timestamp(0)
