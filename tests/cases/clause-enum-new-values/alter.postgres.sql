ALTER COLUMN b TYPE mood USING b::public.mood
