ALTER COLUMN "Odd Col" TYPE int USING "Odd Col"::int * length(t.b)
