ALTER COLUMN a TYPE int USING trim(a)::int + c, ALTER COLUMN b SET DATA TYPE text[] USING string_to_array(b, ','), ALTER c TYPE text USING CASE WHEN c > 5 THEN 'big, "(' ELSE a END
