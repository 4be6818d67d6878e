ADD COLUMN g int AS (a * 2) VIRTUAL, ADD KEY kg (g), ADD COLUMN s varchar(30) AS (CONCAT(b, 'x')) STORED
